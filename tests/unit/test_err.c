/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: a message names its subject once, whoever names it first, and however it is prefixed.
 */
#include "common/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_name(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(err_set(&err, ERR_CORRUPT, "it is %s", "damaged"), -1);
    assert_string_equal(err.subject, "");
    assert_string_equal(err_what(&err), "it is damaged");
    assert_int_equal(err_name(&err, "%s/%s", "/a.vcz", "x/0"), -1);
    assert_string_equal(err.msg, "/a.vcz/x/0: it is damaged");
    assert_string_equal(err.subject, "/a.vcz/x/0");
    assert_true(err_is_about(&err, "/a.vcz/%s", "x/0"));
    assert_false(err_is_about(&err, "/a.vcz"));
    err_name(&err, "/a.vcz");
    assert_string_equal(err.msg, "/a.vcz/x/0: it is damaged");
    err_prefix(&err, "--include");
    assert_string_equal(err.msg, "--include: /a.vcz/x/0: it is damaged");
    assert_string_equal(err_what(&err), "it is damaged");
    assert_int_equal(err.code, ERR_CORRUPT);
}

/* A path in the middle of a message is no name of it. */
static void test_mentioned(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, ERR_IO, "the temporary file in %s", "/tmp");
    err_prefix(&err, "so");
    err_name(&err, "/tmp");
    assert_string_equal(err.msg, "/tmp: so: the temporary file in /tmp");
    assert_string_equal(err_what(&err), "so: the temporary file in /tmp");
    err_set(&err, ERR_IO, "anew");
    assert_string_equal(err.subject, "");
    assert_string_equal(err_what(&err), "anew");
}

/* The message of a chunk that is held back is its name, for the other process to read. */
static void test_held(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, ERR_HELD, "call_genotype/0.0");
    err_name(&err, "/a.vcz");
    err_prefix(&err, "so");
    assert_string_equal(err.msg, "call_genotype/0.0");
}

static void test_long(void **state)
{
    char path[2 * ERR_MSG_MAX];
    struct err err;

    (void)state;
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    err_set(&err, ERR_IO, "it fails");
    err_name(&err, "%s", path);
    assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
    assert_int_equal(strlen(err.subject), ERR_SUBJECT_MAX - 1);
    assert_true(err_is_about(&err, "%s", path));
    assert_non_null(err_what(&err));
    err_name(&err, "again");
    assert_int_equal(err.msg[0], 'p');
}

static void test_nomem(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(err_nomem(&err, "%d samples", 3), -1);
    assert_int_equal(err.code, ERR_MEMORY);
    assert_string_equal(err.msg, "out of memory for 3 samples");
    assert_int_equal(err_nomem(NULL, "it"), -1);
    assert_int_equal(err_name(NULL, "it"), -1);
    assert_int_equal(err_prefix(NULL, "it"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name), cmocka_unit_test(test_mentioned), cmocka_unit_test(test_held),
        cmocka_unit_test(test_long), cmocka_unit_test(test_nomem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
