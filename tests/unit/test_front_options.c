/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/option_parse.h"
#include "fused/cli/option_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
    assert_int_equal(opt.verb, VERB_MOUNT);
    assert_string_equal(opt.command.name, "mount-plink");
    assert_string_equal(opt.store, "/data/a.vcz");
    assert_string_equal(opt.dir, "mnt");
    assert_string_equal(opt.basename, "a");
    assert_int_equal(opt.memory, 256 << 20);
    assert_in_range(opt.threads, 1, 64);
    assert_int_equal(opt.read_timeout, 30);
    assert_int_equal(opt.log_level, LOG_LEVEL_WARNING);
    assert_false(opt.background || opt.allow_other || opt.no_sandbox);
    assert_int_equal(opt.since, 300);
    options_view(&opt, &view);
    assert_int_equal(view.nformats, 1);
    assert_string_equal(view.formats[0], "plink");
    assert_string_equal(view.basename, "a");
    assert_int_equal(view.min_alleles + view.max_alleles + view.nsettings, 0);
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
    assert_true(opt.background && opt.allow_other);
    assert_string_equal(opt.access_log, "l");
    assert_string_equal(opt.encoder, "e");
    assert_int_equal(opt.log_level, LOG_LEVEL_DEBUG);
    options_free(&opt);
}

/* As "format key value, " each. */
static void settings_are(const struct view_options *view, const char *due)
{
    struct buf text = {0};

    for (size_t i = 0; i < view->nsettings; i++)
        buf_printf(&text, "%s %s%s%s, ", view->settings[i].format, view->settings[i].key,
                   view->settings[i].value[0] != '\0' ? " " : "", view->settings[i].value);
    buf_append_char(&text, '\0');
    assert_string_equal((const char *)text.data, due);
    buf_free(&text);
}

/* An option of several formats is set for each that is shown, and the last one counts. */
static void settings_are_those_of_the_shown_formats(void **state)
{
    static const struct {
        const char *line, *due;
    } cases[] = {
        {"mount-plink --fid 0 s m", "plink fid 0, "},
        {"mount-bgen --fid id --fid 0 s m", "bgen fid 0, "},
        {"mount --fid 0 --no-bim --no-bgi s m",
         "plink fid 0, bgen fid 0, plink no-bim, bgen no-bgi, "},
        {"mount --formats bgen --fid 0 --no-bim --no-bgi s m", "bgen fid 0, bgen no-bgi, "},
        {"info --chr-set 38 --pad-byte X --pad-byte Y s", "plink chr-set 38, bgen pad-byte Y, "},
        {"mount --formats plink --phased --unphased s m", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct options opt = accepted(cases[i].line);
        struct view_options view;

        options_view(&opt, &view);
        settings_are(&view, cases[i].due);
        options_free(&opt);
    }
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
    settings_are(&view, "bgen no-bgi, bgen no-sample-file, bgen no-header-samples, bgen phased, "
                        "bgen haploid, bgen variant-id-field varid, bgen total-string-length 70, "
                        "bgen pad-byte X, ");
    options_free(&opt);
    opt = accepted("mount --unphased s m");
    options_view(&opt, &view);
    settings_are(&view, "bgen unphased, ");
    assert_int_equal(view.nformats, 2);
    assert_true(view.formats_optional);
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
    assert_string_equal(opt.command.name, "info");
    options_free(&opt);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    refused("", "say what to do");
    refused("mound", "'mound'");
    refused("mount", "STORE and DIR");
    refused("mount --formats plink,plink s d", "each once");
    refused("mount-bgen --unphased --phased s d", "exclude each other");
    refused("mount --formats plink, s d", "plink,");
    refused("mount-plink --formats plink s d", "--formats");
    refused("mount-plink --no-bgi s d", "--no-bgi");
    refused("mount-bgen --no-bim s d", "--no-bim");
    refused("mount --formats plnik s d", "did you mean 'plink'?");
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

/* A value that an option of the kind does not take; NULL: there is none. */
static const char *wrong_value(const struct option_spec *spec)
{
    switch (spec->kind) {
    case OPTION_NUMBER:
        return spec->least > 0 ? "0" : "-1";
    case OPTION_SIZE:
        return "1";
    case OPTION_WORD:
        return "no-such-word";
    case OPTION_CHARACTER:
        return "two";
    case OPTION_SWITCH:
    case OPTION_TEXT:
        break;
    }
    return NULL;
}

/* Every option of every command: a wrong value is refused with a message that names the option, and
 * what it is otherwise is a value that it takes. */
static void every_option_checks_its_value(void **state)
{
    struct listed_option options[OPTIONS_MAX];
    struct command command;
    size_t nrefused = 0;

    (void)state;
    for (size_t i = 0; command_at(i, &command); i++) {
        const size_t n = option_list(&command, options);

        for (size_t j = 0; j < n; j++) {
            const struct option_spec *spec = options[j].spec;
            const char *wrong = wrong_value(spec);
            char line[128], name[64];
            uint64_t value;

            assert_true((spec->kind == OPTION_SWITCH) == (spec->argument == NULL));
            if (spec->otherwise != NULL)
                assert_int_equal(option_value(spec, spec->otherwise, &value, NULL), 0);
            if (wrong == NULL)
                continue;
            snprintf(name, sizeof name, "--%s ", spec->name);
            snprintf(line, sizeof line, "%s --%s %s s", command.name, spec->name, wrong);
            refused(line, name);
            nrefused++;
        }
    }
    assert_true(nrefused > 20);
}

/* No two options of a command have one name or one letter; shared ones are declared alike. */
static void options_are_told_apart(void **state)
{
    struct listed_option options[OPTIONS_MAX];
    struct command command;

    (void)state;
    for (size_t i = 0; command_at(i, &command); i++) {
        const size_t n = option_list(&command, options);

        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < j; k++) {
                assert_string_not_equal(options[j].spec->name, options[k].spec->name);
                assert_true(options[j].spec->letter == 0 ||
                            options[j].spec->letter != options[k].spec->letter);
            }
    }
    for (size_t i = 0; declared_at(i) != NULL; i++)
        for (size_t j = 0; j < declared_at(i)->noptions; j++) {
            const struct option_spec *spec = &declared_at(i)->options[j], *other;

            for (size_t k = 0; declared_at(k) != NULL; k++)
                if ((other = declared_option(declared_at(k), spec->name)) != NULL)
                    assert_true(other->kind == spec->kind && other->least == spec->least &&
                                other->most == spec->most);
        }
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
        cmocka_unit_test(settings_are_those_of_the_shown_formats),
        cmocka_unit_test(other_verbs),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(every_option_checks_its_value),
        cmocka_unit_test(options_are_told_apart),
        cmocka_unit_test(basenames_lose_their_suffixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
