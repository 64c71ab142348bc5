/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks are brought near side by side where the store makes somebody wait, and one in many where
 * it does not. */
#include "encoderd/vcz/ahead.h"

#include "encoderd/zarr/chunk/warm.h"
#include "encoderd/zarr/store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define NCHUNKS 20
#define WAIT_US 2000

/* In place of the store's; the linker sees to it. */
void __wrap_chunk_warm(struct chunk_table *table, const struct zarr_array *array,
                       const uint64_t *index);
void __wrap_store_counts(const struct store *store, struct store_counts *out);

static atomic_uint nwarm, nwaits;
static bool store_waits;

/* Sleeps, for the store or for something else. */
void __wrap_chunk_warm(struct chunk_table *table, const struct zarr_array *array,
                       const uint64_t *index)
{
    (void)table;
    (void)array;
    (void)index;
    usleep(WAIT_US);
    nwaits += store_waits;
    nwarm++;
}

void __wrap_store_counts(const struct store *store, struct store_counts *out)
{
    (void)store;
    *out = (struct store_counts){.waits = nwaits};
}

static void one_chunk(const void *arg, uint64_t i, uint64_t *begin, uint64_t *end)
{
    (void)arg;
    *begin = i;
    *end = i + 1;
}

static unsigned count_warm(bool waits)
{
    const struct zarr_array array = {.meta = {.ndim = 1, .chunk = {1}, .nchunks = {NCHUNKS}}};
    struct chunk_table *table = chunk_table_new(NULL);
    const struct ahead_plan plan = {
        .table = table, .arrays = {&array}, .nranges = NCHUNKS, .range = one_chunk};
    struct ahead *ahead;

    store_waits = waits;
    nwarm = nwaits = 0;
    ahead = ahead_begin(&plan);
    assert_non_null(ahead);
    while (nwarm == 0)
        sched_yield();
    ahead_end(ahead);
    chunk_table_free(table);
    return nwarm;
}

static void test_waits_of_the_store(void **state)
{
    (void)state;
    assert_int_equal(count_warm(true), NCHUNKS);
}

static void test_other_waits(void **state)
{
    (void)state;
    assert_int_equal(count_warm(false), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_of_the_store),
        cmocka_unit_test(test_other_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
