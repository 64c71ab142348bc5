/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sidecar: a lazy file made by a thread of its own, while reads go on.
 */
#ifndef VCZFS_SERVE_SIDECAR_H
#define VCZFS_SERVE_SIDECAR_H

#include "encoderd/serve/view.h"

struct sidecar_job;

struct sidecar_config {
    const struct view *view; /* borrowed until sidecar_end */
    size_t file;             /* lazy */
    int64_t mtime;           /* of the view's files, seconds since the epoch */
    size_t scratch_max;      /* bytes */
    int temporary;           /* from sidecar_open_temporary, or -1; owned */
};

/* Where temporary files are: TMPDIR or /var/tmp. */
const char *sidecar_temporary_dir(void);

/* A file without a name there, for what is too large for memory; -1 if there can be none
 * (logged). To be opened while the process may still do that. */
int sidecar_open_temporary(void);

struct sidecar_job *sidecar_start(const struct sidecar_config *config, struct err *err);

/* An eventfd that is readable when the file is there, or cannot be. */
int sidecar_wake_fd(const struct sidecar_job *job);

/* How far it is. False if it has not moved since this was last asked. */
struct sidecar_progress {
    const char *what;
    uint64_t done, total;
};
bool sidecar_moved(struct sidecar_job *job, struct sidecar_progress *out);

/* Once that is so: -1 with the error, or the file, whose descriptor the caller then owns. */
int sidecar_result(struct sidecar_job *job, struct made_sidecar *out, struct err *err);

/* Ends the thread, soon, if it is not over by itself; frees. Returns the temporary file if it was
 * not used, or -1. */
int sidecar_end(struct sidecar_job *job);

#endif
