/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command: the commands of vczfs. Each is a verb; mounting has one command for each output format.
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
    const struct declared_format
        *format;              /* the format that it mounts; NULL: several, or no mount */
    const char *operands;     /* "STORE DIR" */
    const char *wants;        /* the same in a sentence */
    int nrequired, noperands; /* at least and at most */
    const char *summary;      /* one line; for a format, without what is shown */
    const char *about;        /* a paragraph; for a format, what follows the files */
};

/* The commands 0, 1, ...; false after the last one. */
bool command_at(size_t i, struct command *out);

/* The command of this name; false if there is none. */
bool command_find(const char *name, struct command *out);

#endif
