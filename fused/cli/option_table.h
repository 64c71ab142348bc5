/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_table: every option of every command: the front's own, and those that formats declare.
 *
 * It is the only list of options: option_parse.c parses with it, help.c and completion.c print it.
 */
#ifndef VCZFS_FUSED_OPTION_TABLE_H
#define VCZFS_FUSED_OPTION_TABLE_H

#include "fused/cli/command.h"

#include <stdbool.h>
#include <stddef.h>

/* An option that the front declares. */
struct option_entry {
    struct option_spec spec;
    unsigned commands; /* bits: see option_table.c */
    unsigned section;  /* of the help: see option_table.c */
    size_t at, nbytes; /* its field in struct options; 0 bytes for --help, --version */
    const char *once;  /* may be given once only; how to join two. NULL: the last counts */
    bool of_formats;   /* takes names of formats */
};

/* An option of one command. */
struct listed_option {
    const struct option_spec *spec;
    const struct option_entry *entry; /* NULL: a format's option */
    const char *heading;              /* of its part of the help; NULL: none */
};

#define OPTIONS_MAX 96

/* The command's options in the order of the help, in which options of one heading stand together.
 * Returns how many, at most OPTIONS_MAX. */
size_t option_list(const struct command *command, struct listed_option out[OPTIONS_MAX]);

/* The front's own options 0, 1, ...; NULL after the last one. */
const struct option_entry *option_at(size_t i);

#endif
