/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stored_objects: lists of names, up to the most that is listed and past it.
 */
#include "encoderd/zarr/meta/stored_objects.h"
#include "encoderd/zarr/store/kind.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A store of which every array has objects 0 to n - 1, and no tree below them. */
struct names_store {
    struct store store;
    uint64_t n;
};

static int visit_names(const struct store *store, const char *key,
                       int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    char name[24];
    int rc = 0;

    (void)key;
    (void)err;
    for (uint64_t i = 0; i < ((const struct names_store *)store)->n && rc == 0; i++) {
        snprintf(name, sizeof name, "%" PRIu64, i);
        rc = visit(name, arg);
    }
    return rc;
}

static void list(uint64_t n, struct stored_objects *out)
{
    static const struct store_ops ops = {.names = visit_names};
    static char path[] = "names", array_name[] = "a";
    struct names_store names = {.store = {.ops = &ops, .path = path}, .n = n};
    struct zarr_array array = {.store = &names.store, .name = array_name};
    struct err err = {0};

    array.meta.ndim = 1;
    array.meta.nchunks[0] = UINT64_C(1) << 40;
    array.meta.sharding.chunks[0] = 1;
    array.meta.separator = '.';
    *out = (struct stored_objects){0};
    if (stored_objects_list(&array, out, &err) != 0)
        fail_msg("%" PRIu64 " names: \"%s\"", n, err.msg);
}

static void test_all(void **state)
{
    const uint64_t counts[] = {0, 1, 1000, STORED_OBJECTS_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct stored_objects stored;

        list(counts[i], &stored);
        assert_true(stored.complete);
        assert_int_equal(stored.n, counts[i]);
        assert_int_equal(stored_objects_gap(&stored, 0), counts[i]);
        stored_objects_clear(&stored);
    }
}

/* More than are listed is no error: the list says that it is not complete. */
static void test_too_many(void **state)
{
    struct stored_objects stored;

    (void)state;
    list(STORED_OBJECTS_MAX + 1, &stored);
    assert_false(stored.complete);
    stored_objects_clear(&stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
