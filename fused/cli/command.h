/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command: what vczfs can be told to do: its verbs, of which each output format has one.
 */
#ifndef VCZFS_FUSED_COMMAND_H
#define VCZFS_FUSED_COMMAND_H

#include "encoderd/format/declared/declared.h"

#include <stdbool.h>

enum verb {
    VERB_HELP,
    VERB_VERSION,
    VERB_COMPLETION,
    VERB_MOUNT, /* one format, or several */
    VERB_UNMOUNT,
    VERB_STATUS,
    VERB_INFO,
};

#define COMMAND_NAME_MAX 32

struct command {
    char name[COMMAND_NAME_MAX]; /* "mount-plink" */
    enum verb verb;
    const struct declared_format *format; /* mount: the only one; NULL: not one */
    const char *operands;                 /* "STORE DIR" */
    const char *wants;                    /* the same in a sentence */
    int nrequired, noperands;             /* at least and at most */
    const char *summary;                  /* in a line; of a format, before what is shown */
    const char *about;                    /* a paragraph; of a format, behind what is shown */
};

/* All of them: 0, 1, ...; false after the last. */
bool command_at(size_t i, struct command *out);

/* By name; false if there is none. */
bool command_find(const char *name, struct command *out);

#endif
