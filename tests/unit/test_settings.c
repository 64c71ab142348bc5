/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/bgen_row.h"
#include "encoderd/format/formats.h"
#include "encoderd/serve/view.h"
#include "tests/unit/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What a peer may say is what formats declare, whoever the peer is. */
static void what_a_format_does_not_take_is_refused(void **state)
{
    static const struct {
        struct option_setting settings[2];
        size_t n;
        const char *because; /* NULL: it is taken */
    } cases[] = {
        {{{"plink", "no-bim", ""}, {"bgen", "no-bgi", ""}}, 2, NULL},
        {{{"plink", "fid", "0"}, {"bgen", "fid", "id"}}, 2, NULL},
        {{{"plink", "chr-set", "95"}, {"bgen", "pad-byte", "~"}}, 2, NULL},
        {{{"plink", "chr-set", "96"}}, 1, "--chr-set takes a whole number from 1 to 95, not '96'"},
        {{{"plink", "chr-set", "0"}}, 1, "--chr-set"},
        {{{"plink", "chr-set", ""}}, 1, "--chr-set"},
        {{{"plink", "chr-set", "22 "}}, 1, "--chr-set"},
        {{{"plink", "no-bim", "yes"}}, 1, "--no-bim takes no value"},
        {{{"plink", "no-bgi", ""}}, 1, "the format 'plink' has no option '--no-bgi'"},
        {{{"plink", "", ""}}, 1, "no option"},
        {{{"vcf", "no-bim", ""}}, 1, "'vcf', which is not shown"},
        {{{"", "no-bim", ""}}, 1, "not shown"},
        {{{"plink", "no-bim", ""}, {"plink", "no-bim", ""}}, 2, "--no-bim was given twice"},
        {{{"bgen", "phased", ""}, {"bgen", "unphased", ""}}, 2, "exclude each other"},
        {{{"bgen", "unphased", ""}, {"bgen", "phased", ""}}, 2, "exclude each other"},
        {{{"bgen", "pad-byte", ""}}, 1, "--pad-byte takes one character from '!' to '~'"},
        {{{"bgen", "pad-byte", " "}}, 1, "--pad-byte"},
        {{{"bgen", "pad-byte", "\x7f"}}, 1, "--pad-byte"},
        {{{"bgen", "pad-byte", "\xc3\xa4"}}, 1, "--pad-byte"},
        {{{"bgen", "variant-id-field", "id"}}, 1, "--variant-id-field is rsid or varid, not 'id'"},
        {{{"bgen", "fid", "1"}}, 1, "--fid is ID or 0, not '1'"},
        {{{"bgen", "total-string-length", "4294967296"}}, 1, "--total-string-length"},
        {{{"bgen", "total-string-length", "99999999999999999999"}}, 1, "--total-string-length"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct view_options options = {.formats = {"plink", "bgen"}, .nformats = 2};
        struct err err = {0};

        memcpy(options.settings, cases[i].settings, sizeof cases[i].settings);
        options.nsettings = cases[i].n;
        if (cases[i].because == NULL) {
            assert_int_equal(view_settings_check(&options, &err), 0);
            continue;
        }
        assert_int_equal(view_settings_check(&options, &err), -1);
        assert_int_equal(err.code, ERR_FORM);
        if (strstr(err.msg, cases[i].because) == NULL)
            fail_msg("'%s' does not say '%s'", err.msg, cases[i].because);
    }
}

/* Before the store is looked for. */
static void a_view_looks_at_its_settings(void **state)
{
    static const struct pass_means means = {.nthreads = 1, .scratch_max = 1 << 20};
    struct view_options options = {.formats = {"plink"}, .nformats = 1, .basename = "x"};
    struct view *view;
    struct err err = {0};

    (void)state;
    set(&options, "bgen", "no-bgi", "");
    assert_int_equal(view_open("/nowhere", &options, -1, &means, NULL, &view, &err), -1);
    assert_int_equal(err.code, ERR_FORM);
    assert_non_null(strstr(err.msg, "--no-bgi"));
}

static void what_is_not_set_is_what_it_is_otherwise(void **state)
{
    const struct format_options none = {0};
    const struct format_options some = {
        .settings = SETTINGS({"plink", "fid", "0"}, {"bgen", "variant-id-field", "varid"},
                             {"bgen", "pad-byte", "X"}),
        .nsettings = 3,
    };

    (void)state;
    assert_int_equal(format_option(&none, &declared_bgen, "pad-byte"), '.');
    assert_int_equal(format_option(&none, &declared_bgen, "fid"), 0);
    assert_int_equal(format_option(&none, &declared_bgen, "no-bgi"), 0);
    assert_int_equal(format_option(&none, &declared_plink, "chr-set"), 0);
    assert_int_equal(format_option(&some, &declared_bgen, "pad-byte"), 'X');
    assert_int_equal(format_option(&some, &declared_bgen, "variant-id-field"), 1);
    assert_int_equal(format_option(&some, &declared_plink, "fid"), 1);
    assert_int_equal(format_option(&some, &declared_bgen, "fid"), 0);
}

/* Limits that the declaration and the code both know. */
static void declared_limits_are_those_of_the_formats(void **state)
{
    (void)state;
    assert_int_equal(declared_option(&declared_bgen, "total-string-length")->most,
                     BGEN_STRINGS_MAX);
    for (size_t i = 0; format_at(i) != NULL; i++)
        assert_ptr_equal(format_at(i)->declared, declared_at(i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_format_does_not_take_is_refused),
        cmocka_unit_test(a_view_looks_at_its_settings),
        cmocka_unit_test(what_is_not_set_is_what_it_is_otherwise),
        cmocka_unit_test(declared_limits_are_those_of_the_formats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
