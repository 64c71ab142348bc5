/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_table: every option of every command: the front's own, and those that formats declare.
 *
 * The one place that knows what there is; options.c parses by it, help.c and completion.c print it.
 */
#ifndef VCZFS_FUSED_OPTION_TABLE_H
#define VCZFS_FUSED_OPTION_TABLE_H

#include "fused/cli/command.h"

#include <stdbool.h>
#include <stddef.h>

/* An option of the front's own. */
struct option_entry {
    struct option_spec spec;
    unsigned commands; /* bits: see option_table.c */
    unsigned section;  /* of the help: see option_table.c */
    size_t at, nbytes; /* its field in struct options; of -h and --version, nothing */
    const char *once;  /* how two of it are made one: it may be given once; NULL: the last counts */
    bool of_formats;   /* takes names of formats */
};

/* An option of one command. */
struct listed_option {
    const struct option_spec *spec;
    const struct option_entry *entry; /* NULL: it is declared by formats */
    const char *heading;              /* of its part of the help; NULL: has none */
};

#define OPTIONS_MAX 96

/* Those of the command in the order of the help, those of one heading together. Returns how many,
 * at most OPTIONS_MAX. */
size_t option_list(const struct command *command, struct listed_option out[OPTIONS_MAX]);

/* All of the front's own: 0, 1, ...; NULL after the last. */
const struct option_entry *option_at(size_t i);

#endif
