/* SPDX-License-Identifier: Apache-2.0 */
#include "common/option_help.h"

#include <inttypes.h>
#include <string.h>

#define WIDTH         94
#define OPTION_COLUMN 32

void help_put_wrapped(struct buf *out, size_t column, const char *text)
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

void help_put_entry(struct buf *out, const char *left, size_t column, const char *text)
{
    if (strlen(left) + 2 > column)
        buf_printf(out, "%s\n%*s", left, (int)column, "");
    else
        buf_printf(out, "%-*s", (int)column, left);
    help_put_wrapped(out, column, text);
}

/* "auto, bed, tab or vcf", "1 to 64", "at least 16M", or nothing. */
static void name_values(const struct option_spec *spec, struct buf *out)
{
    char words[OPTION_SAID_MAX];

    if (spec->kind == OPTION_WORD)
        buf_append_str(out, option_words(spec, words));
    else if (spec->kind == OPTION_NUMBER && spec->most < UINT32_MAX)
        buf_printf(out, "%" PRIu64 " to %" PRIu64, spec->least, spec->most);
    else if (spec->kind == OPTION_SIZE && spec->least > 0)
        buf_printf(out, "at least %" PRIu64 "M", spec->least >> 20);
    else if (spec->kind == OPTION_CHARACTER)
        buf_printf(out, "%c to %c", (int)spec->least, (int)spec->most);
}

static void describe(const struct option_spec *spec, const char *values, struct buf *out)
{
    const char *otherwise = spec->otherwise_said != NULL ? spec->otherwise_said : spec->otherwise;
    size_t bare;

    buf_append_str(out, spec->help);
    buf_append_str(out, " [");
    bare = out->len;
    if (values != NULL)
        buf_append_str(out, values);
    else
        name_values(spec, out);
    if (otherwise != NULL)
        buf_printf(out, "%sdefault: %s", out->len > bare ? "; " : "", otherwise);
    if (out->len > bare)
        buf_append_char(out, ']');
    else if (!out->failed)
        out->len = bare - strlen(" [");
    buf_append_char(out, '\0');
}

void help_put_option(struct buf *out, const struct option_spec *spec, const char *values)
{
    const char letter[] = {'-', spec->letter, ',', ' ', '\0'};
    struct buf left = {0}, text = {0};

    buf_printf(&left, "  %s--%s%s%s", spec->letter != 0 ? letter : "    ", spec->name,
               spec->argument != NULL ? " " : "", spec->argument != NULL ? spec->argument : "");
    buf_append_char(&left, '\0');
    describe(spec, values, &text);
    if (!left.failed && !text.failed)
        help_put_entry(out, (const char *)left.data, OPTION_COLUMN, (const char *)text.data);
    out->failed |= left.failed || text.failed;
    buf_free(&left);
    buf_free(&text);
}
