/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/option_parse.h"

#include "common/buf.h"
#include "common/nearest.h"
#include "fused/cli/option_table.h"

#include <getopt.h>
#include <string.h>

#define LONG_FIRST 256 /* what getopt_long returns for the first long option */

/* A command line on its way to `out`. */
struct option_parsing {
    struct options *out;
    struct listed_option options[OPTIONS_MAX];
    size_t noptions;
    /* The same as getopt_long wants it. */
    struct option longs[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 2];
    struct err *err;
};

/* Refuses an option that is given twice. For some of these options bcftools silently uses the last
 * one and for others it fails, so that a user could not know which one counts. */
static int check_once(const struct listed_option *option, const void *field, struct err *err)
{
    if (option->entry->once == NULL || *(const char *const *)field == NULL)
        return 0;
    return err_set(err, ERR_FORM, "--%s was given twice: %s", option->spec->name,
                   option->entry->once);
}

/* Stores the value in the option's field. */
static int take_own(const struct listed_option *option, const char *text, uint64_t value,
                    struct options *out, struct err *err)
{
    void *field = (char *)out + option->entry->at;

    if (check_once(option, field, err) != 0)
        return -1;
    option_store(option->spec, text, value, option->entry->nbytes, field);
    return 0;
}

/* Replaces an earlier setting of the same option of the format. */
static int set_setting(struct options *out, const struct option_setting *setting, struct err *err)
{
    size_t i = 0;

    while (i < out->nsettings && (strcmp(out->settings[i].format, setting->format) != 0 ||
                                  strcmp(out->settings[i].key, setting->key) != 0))
        i++;
    if (i == PROTO_SETTINGS_MAX)
        return err_set(err, ERR_FORM, "more than %d options of formats", PROTO_SETTINGS_MAX);
    out->settings[i] = *setting;
    out->nsettings += i == out->nsettings;
    return 0;
}

/* Sets the option for each format that has it. */
static int take_declared(const struct option_spec *spec, const char *text, struct options *out,
                         struct err *err)
{
    const struct declared_format *format;

    for (size_t i = 0; (format = declared_at(i)) != NULL; i++) {
        const struct option_setting setting = {format->name, spec->name, text == NULL ? "" : text};

        if ((out->command.format == NULL || out->command.format == format) &&
            declared_option(format, spec->name) != NULL && set_setting(out, &setting, err) != 0)
            return -1;
    }
    return 0;
}

static int take_option(const struct listed_option *option, const char *text, struct options *out,
                       struct err *err)
{
    uint64_t value;

    if (option_value(option->spec, text, &value, err) != 0)
        return -1;
    return option->entry == NULL ? take_declared(option->spec, text, out, err)
                                 : take_own(option, text, value, out, err);
}

/* Is the name the beginning of several options? If it is the beginning of only one, getopt accepts
 * it. */
static bool is_ambiguous(const struct option_parsing *parsing, const char *name, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < parsing->noptions; i++)
        n += strncmp(parsing->options[i].spec->name, name, len) == 0;
    return n > 1;
}

static int unknown_long_option(const struct option_parsing *parsing, const char *text)
{
    const char *name = text + strspn(text, "-");
    const size_t len = strcspn(name, "=");
    struct nearest nearest;
    char hint[NEAREST_HINT_MAX];

    if (is_ambiguous(parsing, name, len))
        return err_set(parsing->err, ERR_FORM, "'%s' is the beginning of more than one option",
                       text);
    nearest_begin(&nearest, name, len);
    for (size_t i = 0; i < parsing->noptions; i++)
        nearest_consider(&nearest, "--", parsing->options[i].spec->name,
                         strlen(parsing->options[i].spec->name));
    return err_set(parsing->err, ERR_FORM, "%s has no option '%s'%s", parsing->out->command.name,
                   text, nearest_hint(&nearest, hint));
}

static int refuse_option(const struct option_parsing *parsing, int why, char **argv)
{
    const char *text = argv[optind - 1];

    if (why == ':')
        return err_set(parsing->err, ERR_FORM, "option '%s' wants a value", text);
    /* optopt is 0 if getopt does not know the long option, or if the name is the beginning of
     * several. If a value was given to a long option without one, optopt is that option's
     * number. */
    if (optopt == 0)
        return unknown_long_option(parsing, text);
    if (strncmp(text, "--", 2) == 0)
        return err_set(parsing->err, ERR_FORM, "option '%.*s' takes no value",
                       (int)strcspn(text, "="), text);
    return err_set(parsing->err, ERR_FORM, "%s has no option '-%c'", parsing->out->command.name,
                   optopt);
}

static int take_operands(int argc, char **argv, struct options *opt, struct err *err)
{
    const struct command *command = &opt->command;

    if (argc - optind > command->noperands || argc - optind < command->nrequired)
        return err_set(err, ERR_FORM, "%s wants %s, and nothing else after the options",
                       command->name, command->wants);
    for (int i = optind; i < argc; i++)
        if (argv[i][0] == '\0')
            return err_set(err, ERR_FORM, "%s wants %s: an empty path is neither", command->name,
                           command->wants);
    if (command->verb == VERB_UNMOUNT || command->verb == VERB_STATUS) {
        opt->dir = argv[optind]; /* NULL behind the last */
    } else {
        opt->store = argv[optind];
        opt->dir = command->noperands > 1 ? argv[optind + 1] : NULL;
    }
    return options_check(opt, err);
}

static void list_options(struct option_parsing *parsing)
{
    size_t nletters = 0;

    parsing->noptions = option_list(&parsing->out->command, parsing->options);
    parsing->letters[nletters++] = ':';
    for (size_t i = 0; i < parsing->noptions; i++) {
        const struct option_spec *spec = parsing->options[i].spec;

        parsing->longs[i] = (struct option){
            spec->name, spec->kind == OPTION_SWITCH ? no_argument : required_argument, NULL,
            LONG_FIRST + (int)i};
        if (spec->letter == 0)
            continue;
        parsing->letters[nletters++] = spec->letter;
        if (spec->kind != OPTION_SWITCH)
            parsing->letters[nletters++] = ':';
    }
}

/* The option for a return value of getopt_long, which is a number of a long option or a letter. */
static const struct listed_option *find_option(const struct option_parsing *parsing, int id)
{
    if (id >= LONG_FIRST)
        return &parsing->options[id - LONG_FIRST];
    for (size_t i = 0; i < parsing->noptions; i++)
        if (parsing->options[i].spec->letter == id)
            return &parsing->options[i];
    return NULL;
}

/* --help and --version have no field. They take effect before everything else. */
static bool is_question(const struct listed_option *option, struct options *out)
{
    if (option->entry == NULL || option->entry->nbytes != 0)
        return false;
    out->verb = strcmp(option->spec->name, "help") == 0 ? VERB_HELP : VERB_VERSION;
    return true;
}

static int parse_command(int argc, char **argv, struct options *out, struct err *err)
{
    struct option_parsing parsing = {.out = out, .err = err};
    int id;

    list_options(&parsing);
    out->verb = out->command.verb;
    optind = 0; /* glibc: start afresh */
    opterr = 0;
    while ((id = getopt_long(argc, argv, parsing.letters, parsing.longs, NULL)) != -1) {
        const struct listed_option *option = find_option(&parsing, id);

        if (option == NULL)
            return refuse_option(&parsing, id, argv);
        if (is_question(option, out))
            return 0;
        if (take_option(option, optarg, out, err) != 0)
            return -1;
    }
    return take_operands(argc, argv, out, err);
}

/* "mount-plink, ..., status and info" */
static void name_commands(struct buf *out)
{
    struct command command, next;

    for (size_t i = 0; command_at(i, &command); i++)
        buf_printf(out, "%s%s",
                   i == 0                     ? ""
                   : command_at(i + 1, &next) ? ", "
                                              : " and ",
                   command.name);
    buf_append_char(out, '\0');
}

static int refuse_command(const char *name, struct err *err)
{
    struct buf names = {0};
    struct command command;
    struct nearest nearest;
    char hint[NEAREST_HINT_MAX];

    nearest_begin(&nearest, name, strlen(name));
    for (size_t i = 0; command_at(i, &command); i++)
        nearest_consider(&nearest, "", command.name, strlen(command.name));
    name_commands(&names);
    if (names.failed)
        err_nomem(err, "a message");
    else if (name[0] == '\0')
        err_set(err, ERR_FORM, "say what to do: vczfs knows %s", (const char *)names.data);
    else
        err_set(err, ERR_FORM, "'%s' is not something vczfs does: it knows %s%s", name,
                (const char *)names.data, nearest_hint(&nearest, hint));
    buf_free(&names);
    return -1;
}

static void set_defaults(struct options *out)
{
    const struct option_entry *entry;

    *out = (struct options){0};
    for (size_t i = 0; (entry = option_at(i)) != NULL; i++) {
        const struct listed_option option = {.spec = &entry->spec, .entry = entry};

        /* A word has no default here, because later steps must know whether it was given. */
        if (entry->spec.otherwise != NULL && entry->spec.kind != OPTION_WORD)
            take_option(&option, entry->spec.otherwise, out, NULL);
    }
    out->threads = option_threads();
}

/* Requests to vczfs without a command. */
static bool take_question(const char *text, struct options *out)
{
    static const struct {
        const char *text;
        enum verb verb;
    } questions[] = {
        {"--help", VERB_HELP},
        {"-h", VERB_HELP},
        {"help", VERB_HELP},
        {"--version", VERB_VERSION},
        {"--completion", VERB_COMPLETION},
    };

    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        if (strcmp(text, questions[i].text) != 0)
            continue;
        out->verb = questions[i].verb;
        return true;
    }
    return false;
}

int options_parse(int argc, char **argv, struct options *out, struct err *err)
{
    const char *first = argc > 1 ? argv[1] : "";
    struct command command;

    set_defaults(out);
    if (take_question(first, out))
        return 0;
    if (!command_find(first, &command))
        return refuse_command(first, err);
    out->command = command;
    return parse_command(argc - 1, argv + 1, out, err);
}
