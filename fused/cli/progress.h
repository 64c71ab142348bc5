/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress: shows the progress of a long open on stderr if that is a terminal, and nothing
 * elsewhere.
 */
#ifndef VCZFS_FUSED_CLI_PROGRESS_H
#define VCZFS_FUSED_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool terminal;
    bool shown;           /* a line stands there now */
    uint64_t begun, last; /* ms */
    uint64_t total;       /* of the present step; a new total begins a new step */
    uint64_t since;       /* ms: when that began */
};

void progress_init(struct progress *progress);

/* Shows the step, with an estimate of the time left, but only after the whole open has lasted some
 * time. */
void progress_show(struct progress *progress, const char *what, uint64_t done, uint64_t total);

/* Clears the line. Call it before anything else is written to the terminal. */
void progress_clear(struct progress *progress);

/* Replaces the line by a warning that the encoder sent, and logs the warning. */
void progress_warn(struct progress *progress, const char *text);

#endif
