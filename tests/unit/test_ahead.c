/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks are brought near side by side where the store makes somebody wait, so many ahead of the
 * pass, and one in many where it does not. */
#include "encoderd/vcz/ahead.h"

#include "encoderd/zarr/chunk/warm.h"
#include "encoderd/zarr/store/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define NCHUNKS 60
#define WIDTH   3 /* chunks side by side of the array of two axes */
#define WAIT_US 2000
/* A table keeps an eighth of these open, and two fifths of them are asked for ahead. */
#define FILES  400
#define WINDOW 20

/* In place of the store's; the linker sees to it. */
void __wrap_chunk_warm(struct chunk_table *table, const struct zarr_array *array,
                       const uint64_t *index);
void __wrap_store_counts(const struct store *store, struct store_counts *out);

static struct store store;
static const struct zarr_array narrow = {.store = &store,
                                         .meta = {.ndim = 1, .chunk = {1}, .nchunks = {NCHUNKS}}};
static const struct zarr_array wide = {
    .store = &store, .meta = {.ndim = 2, .chunk = {1, 1}, .nchunks = {NCHUNKS, WIDTH}}};
static const struct zarr_array names = {.store = &store,
                                        .meta = {.ndim = 1, .chunk = {1}, .nchunks = {2}}};

static atomic_uint nwarm, nwaits, ntimes[NCHUNKS][WIDTH + 1], nnames, nearly;
static bool store_waits;

/* Sleeps, for the store or for something else. */
void __wrap_chunk_warm(struct chunk_table *table, const struct zarr_array *array,
                       const uint64_t *index)
{
    (void)table;
    if (array == &names)
        nnames++;
    else if (nnames < 2)
        nearly++;
    if (array != &names)
        ntimes[index[0]][array == &wide ? 1 + index[1] : 0]++;
    usleep(WAIT_US);
    nwaits += store_waits;
    nwarm++;
}

void __wrap_store_counts(const struct store *asked, struct store_counts *out)
{
    (void)asked;
    *out = (struct store_counts){.waits = nwaits};
}

static void one_chunk(const void *arg, uint64_t i, uint64_t *begin, uint64_t *end)
{
    (void)arg;
    *begin = i;
    *end = i + 1;
}

static void wait_until(unsigned n)
{
    while (nwarm < n)
        sched_yield();
}

static void half(const void *arg, uint64_t i, uint64_t *begin, uint64_t *end)
{
    (void)arg;
    *begin = i * (NCHUNKS / 2);
    *end = *begin + NCHUNKS / 2;
}

static struct ahead *begin_plan(const struct ahead_plan *plan, bool waits)
{
    struct ahead *ahead;

    store.far = false;
    store_waits = waits;
    nwarm = nwaits = nnames = nearly = 0;
    memset(ntimes, 0, sizeof ntimes);
    ahead = ahead_begin(plan);
    assert_non_null(ahead);
    return ahead;
}

static struct ahead *begin(struct chunk_table *table, bool waits, const struct zarr_array *array,
                           const struct zarr_array *whole)
{
    const struct ahead_plan plan = {.table = table,
                                    .whole = {whole},
                                    .arrays = {array},
                                    .nranges = NCHUNKS,
                                    .range = one_chunk};

    return begin_plan(&plan, waits);
}

/* The pass comes to one range after the other, as soon as what was to be ahead of it is. Each chunk
 * is asked for once, but for those that the pass was faster than. */
static void check_window(const struct zarr_array *array, unsigned width)
{
    struct chunk_table *table = chunk_table_new(NULL);
    struct ahead *ahead = begin(table, true, array, NULL);

    for (unsigned range = 0; range < NCHUNKS; range++) {
        const unsigned most = range * width + WINDOW;

        ahead_reached(ahead, range);
        wait_until(most < NCHUNKS * width ? most : NCHUNKS * width);
        assert_true(nwarm <= most);
    }
    ahead_end(ahead);
    chunk_table_free(table);
    for (unsigned i = 0; i < NCHUNKS; i++)
        for (unsigned k = 0; k < width; k++)
            assert_int_equal(ntimes[i][array == &wide ? 1 + k : 0], 1);
}

static void test_window(void **state)
{
    (void)state;
    check_window(&narrow, 1);
    check_window(&wide, WIDTH);
}

/* A range that has more chunks than the window is asked for while the pass is in it. */
static void test_range_beyond_the_window(void **state)
{
    struct chunk_table *table = chunk_table_new(NULL);
    const struct ahead_plan plan = {
        .table = table, .arrays = {&narrow}, .nranges = 2, .range = half};
    struct ahead *ahead = begin_plan(&plan, true);

    (void)state;
    wait_until(NCHUNKS / 2);
    ahead_reached(ahead, 1);
    wait_until(NCHUNKS);
    ahead_end(ahead);
    chunk_table_free(table);
}

/* Another thread of the pass's may be at a range before the last one that the pass has come to. */
static void test_behind_the_pass(void **state)
{
    struct chunk_table *table = chunk_table_new(NULL);
    struct ahead *ahead = begin(table, true, &narrow, NULL);

    (void)state;
    wait_until(1);
    ahead_reached(ahead, WINDOW / 2);
    wait_until(WINDOW);
    ahead_end(ahead);
    chunk_table_free(table);
    for (unsigned i = 0; i < WINDOW / 2; i++)
        assert_int_equal(ntimes[i][0], 1);
}

static void test_whole_arrays_first(void **state)
{
    struct chunk_table *table = chunk_table_new(NULL);
    struct ahead *ahead = begin(table, true, &narrow, &names);

    (void)state;
    wait_until(WINDOW);
    ahead_end(ahead);
    chunk_table_free(table);
    assert_int_equal(nnames, 2);
    assert_true(nearly <= 1); /* the first thread starts the second one before it comes here */
}

/* What a store is found to be stays known. */
static void test_far(void **state)
{
    struct chunk_table *table = chunk_table_new(NULL);
    struct ahead *ahead = begin(table, true, &narrow, NULL);

    (void)state;
    wait_until(1);
    ahead_end(ahead);
    assert_true(store_is_far(&store));
    chunk_table_free(table);
}

/* One chunk is looked at, the last of those that there is room for, and nothing more until the pass
 * has come half as far. */
static void test_other_waits(void **state)
{
    struct chunk_table *table = chunk_table_new(NULL);
    struct ahead *ahead = begin(table, false, &narrow, NULL);

    (void)state;
    wait_until(1);
    ahead_reached(ahead, WINDOW / 2 - 1);
    usleep(10 * WAIT_US);
    assert_int_equal(nwarm, 1);
    assert_int_equal(ntimes[WINDOW - 1][0], 1);
    ahead_reached(ahead, WINDOW / 2);
    wait_until(2);
    ahead_end(ahead);
    chunk_table_free(table);
    assert_int_equal(nwarm, 2);
    assert_false(store_is_far(&store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_range_beyond_the_window),
        cmocka_unit_test(test_behind_the_pass),
        cmocka_unit_test(test_whole_arrays_first),
        cmocka_unit_test(test_far),
        cmocka_unit_test(test_other_waits),
    };
    const struct rlimit files = {FILES, FILES};

    setrlimit(RLIMIT_NOFILE, &files);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
