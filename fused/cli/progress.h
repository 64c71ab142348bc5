/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress: how far a long open has come, on a terminal's stderr; nothing anywhere else.
 */
#ifndef VCZFS_FUSED_CLI_PROGRESS_H
#define VCZFS_FUSED_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool terminal;
    bool shown;           /* a line stands there now */
    uint64_t begun, last; /* ms */
    uint64_t total;       /* of what is being done now; another total is another piece of work */
    uint64_t since;       /* ms: when that began */
};

void progress_init(struct progress *progress);

/* Shows it, with the time that is left at this pace, if the whole has been going on long enough to
 * be worth it. */
void progress_show(struct progress *progress, const char *what, uint64_t done, uint64_t total);

/* Clears the line. Before anything else is written to the terminal. */
void progress_clear(struct progress *progress);

/* A line of warning in its place, in the words of an encoder; and one in the log. */
void progress_warn(struct progress *progress, const char *text);

#endif
