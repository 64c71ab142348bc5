/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/help.h"

#include "fused/cli/option_table.h"

#include <inttypes.h>
#include <string.h>

#define WIDTH          94
#define OPTION_COLUMN  32
#define COMMAND_COLUMN 42

/* Words from `column` on, where the line stands, to WIDTH; further lines begin there, too. */
static void put_wrapped(struct buf *out, size_t column, const char *text)
{
    size_t at = column;

    while (*text != '\0') {
        const size_t len = strcspn(text, " ");

        if (at > column && at + 1 + len > WIDTH) {
            buf_printf(out, "\n%*s", (int)column, "");
            at = column;
        }
        if (at > column)
            buf_append_char(out, ' ');
        buf_append(out, text, len);
        at += len + (at > column);
        text += len + strspn(text + len, " ");
    }
    buf_append_char(out, '\n');
}

/* `left`, and what it is about from `column` on. */
static void put_entry(struct buf *out, const char *left, size_t column, const char *text)
{
    if (strlen(left) + 2 > column)
        buf_printf(out, "%s\n%*s", left, (int)column, "");
    else
        buf_printf(out, "%-*s", (int)column, left);
    put_wrapped(out, column, text);
}

static void name_formats(struct buf *out)
{
    const struct declared_format *format;

    for (size_t i = 0; (format = declared_at(i)) != NULL; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", format->name);
}

/* "auto, bed, tab or vcf", "1 to 64", "at least 16M", or nothing. */
static void name_values(const struct listed_option *option, struct buf *out)
{
    const struct option_spec *spec = option->spec;
    char words[OPTION_SAID_MAX];

    if (option->entry != NULL && option->entry->of_formats)
        name_formats(out);
    else if (spec->kind == OPTION_WORD)
        buf_append_str(out, option_words(spec, words));
    else if (spec->kind == OPTION_NUMBER && spec->most < UINT32_MAX)
        buf_printf(out, "%" PRIu64 " to %" PRIu64, spec->least, spec->most);
    else if (spec->kind == OPTION_SIZE && spec->least > 0)
        buf_printf(out, "at least %" PRIu64 "M", spec->least >> 20);
    else if (spec->kind == OPTION_CHARACTER)
        buf_printf(out, "%c to %c", (int)spec->least, (int)spec->most);
}

/* What it does, and then in square brackets which values it takes and what it is otherwise. */
static void describe(const struct listed_option *option, struct buf *out)
{
    const struct option_spec *spec = option->spec;
    const char *otherwise = spec->otherwise_said != NULL ? spec->otherwise_said : spec->otherwise;
    size_t bare;

    buf_append_str(out, spec->help);
    buf_append_str(out, " [");
    bare = out->len;
    name_values(option, out);
    if (otherwise != NULL)
        buf_printf(out, "%sdefault: %s", out->len > bare ? "; " : "", otherwise);
    if (out->len > bare)
        buf_append_char(out, ']');
    else if (!out->failed)
        out->len = bare - strlen(" [");
    buf_append_char(out, '\0');
}

static void put_option(struct buf *out, const struct listed_option *option)
{
    const struct option_spec *spec = option->spec;
    const char letter[] = {'-', spec->letter, ',', ' ', '\0'};
    struct buf left = {0}, text = {0};

    buf_printf(&left, "  %s--%s%s%s", spec->letter != 0 ? letter : "    ", spec->name,
               spec->argument != NULL ? " " : "", spec->argument != NULL ? spec->argument : "");
    buf_append_char(&left, '\0');
    describe(option, &text);
    if (!left.failed && !text.failed)
        put_entry(out, (const char *)left.data, OPTION_COLUMN, (const char *)text.data);
    out->failed |= left.failed || text.failed;
    buf_free(&left);
    buf_free(&text);
}

static void put_options(const struct command *command, struct buf *out)
{
    struct listed_option options[OPTIONS_MAX];
    const size_t n = option_list(command, options);
    const char *heading = NULL;

    for (size_t i = 0; i < n; i++) {
        if (options[i].heading != NULL &&
            (heading == NULL || strcmp(heading, options[i].heading) != 0))
            buf_printf(out, "%s%s:\n", i > 0 ? "\n" : "", options[i].heading);
        heading = options[i].heading;
        put_option(out, &options[i]);
    }
}

static void put_command(const struct command *command, struct buf *out)
{
    struct buf about = {0};

    if (command->format != NULL)
        buf_printf(&about, "Shows the VCZ store STORE as %s ", command->format->shown);
    buf_append_str(&about, command->about);
    buf_append_char(&about, '\0');
    buf_printf(out, "Usage: vczfs %s [OPTIONS] %s\n\n", command->name, command->operands);
    if (!about.failed)
        put_wrapped(out, 0, (const char *)about.data);
    out->failed |= about.failed;
    buf_free(&about);
    buf_append_char(out, '\n');
    put_options(command, out);
}

/* ".bed, .bim and .fam" */
static void name_files(const struct declared_format *format, struct buf *out)
{
    for (size_t i = 0; format->suffixes[i] != NULL; i++)
        buf_printf(out, "%s%s",
                   i == 0                            ? ""
                   : format->suffixes[i + 1] != NULL ? ", "
                                                     : " and ",
                   format->suffixes[i]);
}

static void put_summary(const struct command *command, struct buf *out)
{
    struct buf left = {0}, text = {0};

    buf_printf(&left, "  vczfs %s [OPTIONS] %s", command->name, command->operands);
    buf_append_char(&left, '\0');
    buf_append_str(&text, command->summary);
    if (command->format != NULL) {
        buf_append_char(&text, ' ');
        name_files(command->format, &text);
        buf_append_str(&text, " in DIR");
    }
    buf_append_char(&text, '\0');
    if (!left.failed && !text.failed)
        put_entry(out, (const char *)left.data, COMMAND_COLUMN, (const char *)text.data);
    out->failed |= left.failed || text.failed;
    buf_free(&left);
    buf_free(&text);
}

static void put_overview(struct buf *out)
{
    struct command command;

    buf_append_str(out,
                   "vczfs: read a VCF Zarr (VCZ) store as the files that genetics programs know.\n"
                   "\n"
                   "Usage:\n");
    for (size_t i = 0; command_at(i, &command); i++)
        put_summary(&command, out);
    buf_append_char(out, '\n');
    put_entry(out, "  vczfs VERB --help", COMMAND_COLUMN, "the options of one of these");
    put_entry(out, "  vczfs --version", COMMAND_COLUMN, "the version");
    put_entry(out, "  vczfs --completion", COMMAND_COLUMN, "a script by which bash completes them");
    buf_append_str(out, "\n"
                        "Example:\n"
                        "  mkdir mnt\n"
                        "  vczfs mount-plink --background sample.vcz mnt\n"
                        "  plink2 --bfile mnt/sample --freq\n"
                        "  vczfs unmount mnt\n");
}

void help_make(const struct command *command, struct buf *out)
{
    if (command->name[0] != '\0')
        put_command(command, out);
    else
        put_overview(out);
}
