/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hints name what was meant, or nothing.
 */
#include "common/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const char *const names[] = {
    "mount", "mount-plink", "mount-bgen", "unmount",   "status",         "info", "AD",  "DP",
    "GQ",    "NA12878",     "NA12891",    "--regions", "--regions-file", "chr1", "chr2"};

static const char *nearest_of(const char *wanted)
{
    static struct nearest nearest;

    nearest_begin(&nearest, wanted, strlen(wanted));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        nearest_consider(&nearest, "", names[i], strlen(names[i]));
    return nearest.name;
}

static void test_hints(void **state)
{
    static const char *const cases[][2] = {
        {"mount", "mount"},
        {"mout", "mount"},
        {"mount-bgne", "mount-bgen"},
        {"mountplink", "mount-plink"},
        {"umount", "unmount"},
        {"stauts", "status"},
        {"ifno", "info"},
        {"INFO", "info"},
        {"gq", "GQ"},
        {"END", ""},
        {"GP", ""},
        {"X", ""},
        {"", ""},
        {"convert", ""},
        {"NA12892", ""},
        {"na12878", "NA12878"},
        {"HG00096", ""},
        {"--region", "--regions"},
        {"--region-file", "--regions-file"},
        {"--help", ""},
        {"chr11", ""},
        {"crh1", "chr1"},
        {"chrX", ""},
        {"chr21", ""},
        {"chrUn_KI270742v1", ""},
    };
    char longest[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(nearest_of(cases[i][0]), cases[i][1]) != 0)
            fail_msg("'%s': '%s' where '%s' is due", cases[i][0], nearest_of(cases[i][0]),
                     cases[i][1]);
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_string_equal(nearest_of(longest), "");
}

static void test_prefix(void **state)
{
    struct nearest nearest;
    char hint[NEAREST_HINT_MAX];

    (void)state;
    nearest_begin(&nearest, "DEP", 3);
    assert_string_equal(nearest_hint(&nearest, hint), "");
    nearest_consider(&nearest, "FORMAT/", "DP", 2);
    nearest_consider(&nearest, "INFO/", "D\033P", 3);
    nearest_consider(&nearest, "INFO/", "DBP", 3);
    assert_string_equal(nearest_hint(&nearest, hint), "; did you mean 'INFO/D?P'?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_prefix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
