/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu: which level uses which features, on CPUs that have more and fewer of them; and that
 * VCZFS_CPU=portable turns off every kernel that needs more.
 */
#include "common/cpu.h"
#include "encoderd/encode/extract.h"
#include "encoderd/format/bed.h"
#include "encoderd/format/bgen_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define X86_OLD CPU_CRC32C
#define X86_MID (CPU_CRC32C | CPU_BMI2 | CPU_AVX2)
#define X86_NEW (X86_MID | CPU_AVX512)
#define ARM_OLD CPU_NEON
#define ARM_NEW (CPU_NEON | CPU_CRC32C)

static void a_level_uses_its_features(void **state)
{
    static const struct {
        const char *name;
        unsigned has, uses;
    } cases[] = {
        {NULL, 0, 0},
        {NULL, X86_OLD, X86_OLD},
        {NULL, X86_NEW, X86_NEW},
        {"", ARM_NEW, ARM_NEW},
        {"portable", 0, 0},
        {"portable", X86_NEW, 0},
        {"portable", ARM_NEW, 0},
        {"avx2", X86_MID, X86_MID},
        {"avx2", X86_NEW, X86_MID},
        {"avx512", X86_NEW, X86_NEW},
        {"neon", ARM_OLD, ARM_OLD},
        {"neon", ARM_NEW, ARM_NEW},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned uses = ~0u;

        assert_int_equal(cpu_choose(cases[i].name, cases[i].has, &uses, NULL), 0);
        assert_int_equal(uses, cases[i].uses);
    }
}

static void a_level_that_is_not_there_is_refused(void **state)
{
    static const struct {
        const char *name;
        unsigned has;
        const char *there;
    } cases[] = {
        {"avx", X86_NEW, "it has portable, avx2, avx512"},
        {"AVX2", X86_NEW, "it has portable, avx2, avx512"},
        {"neon", X86_NEW, "it has portable, avx2, avx512"},
        {"avx512", X86_MID, "it has portable, avx2"},
        {"avx2", X86_OLD, "it has portable"},
        {"avx2", CPU_AVX2, "it has portable"},
        {"avx2", ARM_NEW, "it has portable, neon"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err;
        unsigned uses;
        size_t len;

        assert_int_equal(cpu_choose(cases[i].name, cases[i].has, &uses, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.msg, cases[i].name));
        len = strlen(err.msg) - strlen(cases[i].there);
        assert_string_equal(err.msg + len, cases[i].there);
    }
}

/* main has set the environment before the first question. */
static void portable_leaves_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(cpu_check(NULL), 0);
    assert_true(cpu_uses(0));
    for (unsigned feature = CPU_CRC32C; feature <= CPU_NEON; feature <<= 1)
        assert_false(cpu_uses(feature));
    for (const char *const *name = bed_planes_names; *name != NULL; name++)
        assert_int_equal(bed_planes_impl(*name) != NULL, strcmp(*name, "portable") == 0);
    for (const char *const *name = bgen_impl_names; *name != NULL; name++)
        assert_int_equal(bgen_impl(*name) != NULL, strcmp(*name, "portable") == 0);
    assert_false(extract_is_fast());
}

static void a_wrong_environment_is_told(void **state)
{
    struct err err;

    (void)state;
    setenv("VCZFS_CPU", "abacus", 1);
    assert_int_equal(cpu_check(&err), -1);
    assert_non_null(strstr(err.msg, "VCZFS_CPU=abacus"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_uses_its_features),
        cmocka_unit_test(a_level_that_is_not_there_is_refused),
        cmocka_unit_test(portable_leaves_nothing_else),
        cmocka_unit_test(a_wrong_environment_is_told),
    };

    setenv("VCZFS_CPU", "portable", 1);
    return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
