/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/completion.h"

#include "fused/cli/option_table.h"

#include <stdio.h>
#include <string.h>

/* Names and words need no quotes: they have only letters, digits, '.' and '-'. Bash treats an '='
 * as a word of its own. Where the script offers nothing, bash completes file names. */
static const char script_begin[] =
    "# Completion of vczfs for bash. Made by `vczfs --completion`.\n"
    "_vczfs()\n"
    "{\n"
    "    local now=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
    "    [[ $now == = ]] && now=\n"
    "    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    case $COMP_CWORD,$before,$now in\n";

static const char script_options[] = "    *,*,-*) case ${COMP_WORDS[1]} in\n";

static const char script_end[] = "        esac ;;\n"
                                 "    *) compopt -o default ;;\n"
                                 "    esac\n"
                                 "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$now\")\n"
                                 "}\n"
                                 "complete -F _vczfs vczfs\n";

static void put_commands(struct buf *out)
{
    struct command command;

    buf_append_str(out, "    1,*) words='");
    for (size_t i = 0; command_at(i, &command); i++)
        buf_printf(out, "%s ", command.name);
    buf_append_str(out, "--help --version --completion' ;;\n");
}

static void put_words(const struct listed_option *option, struct buf *out)
{
    const struct option_spec *spec = option->spec;
    const struct declared_format *format;

    buf_append_str(out, " words='");
    if (option->entry != NULL && option->entry->of_formats)
        for (size_t i = 0; (format = declared_at(i)) != NULL; i++)
            buf_printf(out, "%s%s", i > 0 ? " " : "", format->name);
    for (size_t i = 0; spec->words[i] != NULL; i++)
        buf_printf(out, "%s%s", i > 0 ? " " : "", spec->words[i]);
    buf_append_str(out, "' ;;\n");
}

static bool takes_file(const struct option_spec *spec)
{
    return strcmp(spec->argument, "FILE") == 0 || strcmp(spec->argument, "PATH") == 0;
}

/* Writes what may follow an option that takes a value: its words, a file, or nothing. */
static void put_value(const struct listed_option *option, struct buf *out)
{
    const struct option_spec *spec = option->spec;

    buf_printf(out, "    *,--%s,*", spec->name);
    if (spec->letter != 0)
        buf_printf(out, " | *,-%c,*", spec->letter);
    buf_append_char(out, ')');
    if (takes_file(spec))
        buf_append_str(out, " compopt -o default ;;\n");
    else
        put_words(option, out);
}

/* Writes each option name once, because an option takes the same values in every command. */
static void put_values(struct buf *out)
{
    struct command command;
    struct listed_option options[OPTIONS_MAX];
    struct buf seen = {0};

    for (size_t i = 0; command_at(i, &command); i++) {
        const size_t n = option_list(&command, options);

        for (size_t j = 0; j < n; j++) {
            char name[64];

            snprintf(name, sizeof name, " %s ", options[j].spec->name);
            if (options[j].spec->kind == OPTION_SWITCH ||
                (seen.len > 0 && memmem(seen.data, seen.len, name, strlen(name)) != NULL))
                continue;
            buf_append_str(&seen, name);
            put_value(&options[j], out);
        }
    }
    out->failed |= seen.failed;
    buf_free(&seen);
}

static void put_options(struct buf *out)
{
    struct command command;
    struct listed_option options[OPTIONS_MAX];

    for (size_t i = 0; command_at(i, &command); i++) {
        const size_t n = option_list(&command, options);

        buf_printf(out, "        %s) words='", command.name);
        for (size_t j = 0; j < n; j++)
            buf_printf(out, "%s--%s", j > 0 ? " " : "", options[j].spec->name);
        buf_append_str(out, "' ;;\n");
    }
}

void completion_make(struct buf *out)
{
    buf_append_str(out, script_begin);
    put_commands(out);
    put_values(out);
    buf_append_str(out, script_options);
    put_options(out);
    buf_append_str(out, script_end);
}
