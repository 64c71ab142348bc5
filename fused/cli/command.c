/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/cli/command.h"

#include <stdio.h>
#include <string.h>

#define UNTIL                                                                                      \
    "in the empty directory DIR, until it is unmounted or, in the foreground, interrupted."

static const struct command mount_format = {
    .verb = VERB_MOUNT,
    .operands = "STORE DIR",
    .wants = "STORE and DIR",
    .nrequired = 2,
    .noperands = 2,
    .summary = "show STORE as",
    .about = UNTIL,
};

static const struct command commands[] = {
    {
        .name = "mount",
        .verb = VERB_MOUNT,
        .operands = "STORE DIR",
        .wants = "STORE and DIR",
        .nrequired = 2,
        .noperands = 2,
        .summary = "show STORE in every format that it allows",
        .about = "Shows the VCZ store STORE in every format that it allows, or in those that are "
                 "asked for, " UNTIL,
    },
    {
        .name = "unmount",
        .verb = VERB_UNMOUNT,
        .operands = "DIR",
        .wants = "DIR",
        .nrequired = 1,
        .noperands = 1,
        .summary = "take the mount on DIR away",
        .about = "Takes the vczfs mount on DIR away, and returns when its processes have ended.",
    },
    {
        .name = "status",
        .verb = VERB_STATUS,
        .operands = "[DIR]",
        .wants = "DIR or nothing",
        .nrequired = 0,
        .noperands = 1,
        .summary = "how the mount on DIR is: processes, reads, memory; without DIR, all that you "
                   "have mounted",
        .about = "Says how the vczfs mount on DIR is: both processes, restarts, reads and how long "
                 "they took, memory, and what went wrong last. Without DIR, a line for each mount "
                 "of yours (of everybody, for root). Never waits longer than a second for a mount. "
                 "Exit status 1 if an encoder is not serving, or a read failed of late.",
    },
    {
        .name = "info",
        .verb = VERB_INFO,
        .operands = "STORE",
        .wants = "STORE",
        .nrequired = 1,
        .noperands = 1,
        .summary = "what is in STORE, and how large its views would be",
        .about = "Says what is in the VCZ store STORE, and how large the view that these options "
                 "ask for would be.",
    },
};

bool command_at(size_t i, struct command *out)
{
    size_t nformats = 0;

    for (const struct declared_format *format; (format = declared_at(nformats)) != NULL;
         nformats++) {
        if (nformats != i)
            continue;
        *out = mount_format;
        out->format = format;
        snprintf(out->name, sizeof out->name, "mount-%s", format->name);
        return true;
    }
    if (i - nformats >= sizeof commands / sizeof commands[0])
        return false;
    *out = commands[i - nformats];
    return true;
}

bool command_find(const char *name, struct command *out)
{
    for (size_t i = 0; command_at(i, out); i++)
        if (strcmp(out->name, name) == 0)
            return true;
    return false;
}
