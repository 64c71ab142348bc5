/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/help.h"

#include "common/option_help.h"
#include "fused/cli/option_table.h"

#include <string.h>

#define COMMAND_COLUMN 42

/* "plink, bgen" */
static void name_formats(struct buf *out)
{
    const struct declared_format *format;

    for (size_t i = 0; (format = declared_at(i)) != NULL; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", format->name);
}

static void put_option(struct buf *out, const struct listed_option *option)
{
    struct buf formats = {0};

    if (option->entry == NULL || !option->entry->of_formats) {
        help_put_option(out, option->spec, NULL);
        return;
    }
    name_formats(&formats);
    buf_append_char(&formats, '\0');
    if (!formats.failed)
        help_put_option(out, option->spec, (const char *)formats.data);
    out->failed |= formats.failed;
    buf_free(&formats);
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
        help_put_wrapped(out, 0, (const char *)about.data);
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
        help_put_entry(out, (const char *)left.data, COMMAND_COLUMN, (const char *)text.data);
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
    help_put_entry(out, "  vczfs VERB --help", COMMAND_COLUMN, "the options of one of these");
    help_put_entry(out, "  vczfs --version", COMMAND_COLUMN, "the version");
    help_put_entry(out, "  vczfs --completion", COMMAND_COLUMN,
                   "a script by which bash completes them");
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
