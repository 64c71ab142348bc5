/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARGS_MAX 16

/* The words of a line, separated by single blanks, as a command line; '' is an empty word. */
static int parse(const char *line, struct options *opt, struct err *err)
{
    static char copy[256];
    char *argv[ARGS_MAX + 1];
    int argc = 0;
    char *save = NULL;

    strcpy(copy, line);
    argv[argc++] = (char *)(uintptr_t) "vczfs";
    for (char *word = strtok_r(copy, " ", &save); word != NULL && argc < ARGS_MAX;
         word = strtok_r(NULL, " ", &save))
        argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    argv[argc] = NULL;
    *err = (struct err){0};
    return options_parse(argc, argv, opt, err);
}

static void refused(const char *line, const char *because)
{
    struct options opt;
    struct err err;

    if (parse(line, &opt, &err) == 0)
        fail_msg("'%s' was accepted", line);
    assert_int_equal(err.code, ERR_FORM);
    if (strstr(err.msg, because) == NULL)
        fail_msg("'%s': '%s' does not say '%s'", line, err.msg, because);
    options_free(&opt);
}

static struct options accepted(const char *line)
{
    struct options opt;
    struct err err;

    if (parse(line, &opt, &err) != 0)
        fail_msg("'%s': %s", line, err.msg);
    return opt;
}

static void a_plain_mount_has_the_defaults(void **state)
{
    struct options opt = accepted("mount-plink /data/a.vcz mnt");
    struct view_options view;

    (void)state;
    assert_int_equal(opt.verb, VERB_MOUNT_PLINK);
    assert_string_equal(opt.store, "/data/a.vcz");
    assert_string_equal(opt.dir, "mnt");
    assert_string_equal(opt.basename, "a");
    assert_int_equal(opt.memory, 256 << 20);
    assert_in_range(opt.threads, 1, 64);
    assert_int_equal(opt.read_timeout, 30);
    assert_int_equal(opt.log_level, LOG_LEVEL_WARNING);
    assert_false(opt.background || opt.allow_other || opt.no_bim || opt.no_fam);
    options_view(&opt, &view);
    assert_int_equal(view.nformats, 1);
    assert_string_equal(view.formats[0], "plink");
    assert_string_equal(view.basename, "a");
    assert_int_equal(view.min_alleles + view.max_alleles, 0);
    options_free(&opt);
}

static void options_stand_anywhere(void **state)
{
    struct options opt = accepted("mount-plink a.vcz --basename x -m 2 mnt -M3 --memory 1G "
                                  "--threads=7 --read-timeout 5 --log-file f");

    (void)state;
    assert_string_equal(opt.store, "a.vcz");
    assert_string_equal(opt.dir, "mnt");
    assert_string_equal(opt.basename, "x");
    assert_int_equal(opt.min_alleles, 2);
    assert_int_equal(opt.max_alleles, 3);
    assert_int_equal(opt.memory, 1 << 30);
    assert_int_equal(opt.threads, 7);
    assert_int_equal(opt.read_timeout, 5);
    assert_string_equal(opt.log_file, "f");
    assert_int_equal(opt.log_level, LOG_LEVEL_INFO);
    options_free(&opt);
}

static void switches_are_taken(void **state)
{
    struct options opt = accepted("mount-plink --no-bim --no-fam --background --allow-other "
                                  "--access-log l --encoder e --log-level debug s m");

    (void)state;
    assert_true(opt.no_bim && opt.no_fam && opt.background && opt.allow_other);
    assert_string_equal(opt.access_log, "l");
    assert_string_equal(opt.encoder, "e");
    assert_int_equal(opt.log_level, LOG_LEVEL_DEBUG);
    options_free(&opt);
}

static void formats_follow_the_verb(void **state)
{
    struct options opt =
        accepted("mount-bgen --no-bgi --no-sample-file --no-header-samples "
                 "--phased --haploid --variant-id-field varid --total-string-length 70 "
                 "--pad-byte X s m");
    struct view_options view;

    (void)state;
    options_view(&opt, &view);
    assert_int_equal(view.nformats, 1);
    assert_string_equal(view.formats[0], "bgen");
    assert_false(view.formats_optional);
    assert_true(view.no_bgi && view.no_sample_file && view.no_header_samples && view.phased &&
                view.haploid && view.id_in_varid);
    assert_int_equal(view.total_string_length, 70);
    assert_int_equal(view.pad_byte, 'X');
    options_free(&opt);
    opt = accepted("mount --unphased s m");
    options_view(&opt, &view);
    assert_false(view.phased || view.haploid);
    assert_int_equal(view.nformats, 2);
    assert_true(view.formats_optional);
    assert_int_equal(view.pad_byte, 0);
    options_free(&opt);
    opt = accepted("mount --formats bgen,plink s m");
    options_view(&opt, &view);
    assert_int_equal(view.nformats, 2);
    assert_string_equal(view.formats[0], "bgen");
    assert_string_equal(view.formats[1], "plink");
    assert_false(view.formats_optional);
    options_free(&opt);
}

static void other_verbs(void **state)
{
    struct options opt = accepted("unmount --lazy mnt");

    (void)state;
    assert_int_equal(opt.verb, VERB_UNMOUNT);
    assert_true(opt.lazy && !opt.if_dead);
    assert_string_equal(opt.dir, "mnt");
    options_free(&opt);
    opt = accepted("unmount mnt --if-dead");
    assert_true(opt.if_dead && !opt.lazy);
    options_free(&opt);
    opt = accepted("info --json -M 2 s.zarr/");
    assert_int_equal(opt.verb, VERB_INFO);
    assert_true(opt.json && !opt.check);
    assert_string_equal(opt.basename, "s");
    options_free(&opt);
    opt = accepted("info --check s.zarr");
    assert_true(opt.check);
    options_free(&opt);
    opt = accepted("--version");
    assert_int_equal(opt.verb, VERB_VERSION);
    opt = accepted("info --help");
    assert_int_equal(opt.verb, VERB_HELP);
    assert_int_equal(opt.help_about, VERB_INFO);
    options_free(&opt);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    refused("", "say what to do");
    refused("mound", "'mound'");
    refused("mount", "STORE and DIR");
    refused("mount --formats plink,plink s d", "each once");
    refused("mount-bgen --unphased --phased s d", "--phased and --unphased");
    refused("mount --formats plink, s d", "plink,");
    refused("mount-plink --formats plink s d", "--formats");
    refused("mount-plink --no-bgi s d", "--no-bgi");
    refused("mount-bgen --no-bim s d", "--no-bim");
    refused("mount-bgen --pad-byte XY s d", "XY");
    refused("mount-bgen --pad-byte '' s d", "--pad-byte");
    refused("mount-bgen --pad-byte \t s d", "--pad-byte");
    refused("mount-bgen --variant-id-field id s d", "rsid or varid");
    refused("mount-bgen --total-string-length 0 s d", "--total-string-length");
    refused("mount-plink", "STORE and DIR");
    refused("mount-plink s", "STORE and DIR");
    refused("mount-plink s d e", "STORE and DIR");
    refused("mount-plink '' d", "empty");
    refused("mount-plink --bogus s d", "--bogus");
    refused("mount-plink -x s d", "-x");
    refused("mount-plink s d --memory", "--memory");
    refused("mount-plink --json s d", "--json");
    refused("mount-plink --check s d", "--check");
    refused("unmount --memory 1G d", "--memory");
    refused("mount-plink --background=yes s d", "--background");
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    refused("mount-plink --memory 15M s d", "16M");
    refused("mount-plink --memory lots s d", "lots");
    refused("mount-plink --threads 0 s d", "--threads");
    refused("mount-plink --threads 65 s d", "64");
    refused("mount-plink --threads -1 s d", "-1");
    refused("mount-plink --threads 2x s d", "2x");
    refused("mount-plink --read-timeout 0 s d", "--read-timeout");
    refused("mount-plink -m two s d", "two");
    refused("mount-plink -M 99999999999999999999 s d", "--max-alleles");
    refused("mount-plink -m 3 -M 2 s d", "no variant");
    refused("mount-plink --log-level loud s d", "loud");
    refused("mount-plink --basename '' s d", "--basename");
    refused("mount-plink --basename . s d", "--basename");
    refused("mount-plink --basename a/b s d", "a/b");
    refused("mount-plink --encoder e --encoder-socket f s d", "exclude");
    refused("mount-plink / d", "--basename");
    refused("umount d", "did you mean 'unmount'?");
    refused("mount-bgne s d", "did you mean 'mount-bgen'?");
    refused("info --region-file f s", "did you mean '--regions-file'?");
    refused("info --chek s", "did you mean '--check'?");
    refused("info --background s", "info has no option '--background'");
    refused("info --no- s", "more than one option");
    refused("info --json=yes s", "'--json' takes no value");
    refused("info --help=yes s", "'--help' takes no value");
    refused("info -q s", "no option '-q'");
    refused("info -r", "wants a value");
    refused("mount-plink .. d", "--basename");
}

static void basename_of(const char *store, const char *due)
{
    char *name = options_basename(store);

    assert_non_null(name);
    assert_string_equal(name, due);
    free(name);
}

static void basenames_lose_their_suffixes(void **state)
{
    (void)state;
    basename_of("sample.vcz", "sample");
    basename_of("/a/b.c/sample.vcz//", "sample");
    basename_of("sample.vcz.zip", "sample");
    basename_of("sample.zarr", "sample");
    basename_of("sample.zarr.zip", "sample");
    basename_of("sample.vcz.zarr", "sample");
    basename_of("chr1.v2.vcz", "chr1.v2");
    basename_of("plain", "plain");
    basename_of(".vcz", ".vcz");
    assert_null(options_basename("/"));
    assert_null(options_basename(""));
    assert_null(options_basename("a/.."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_mount_has_the_defaults),
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(switches_are_taken),
        cmocka_unit_test(formats_follow_the_verb),
        cmocka_unit_test(other_verbs),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(basenames_lose_their_suffixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
