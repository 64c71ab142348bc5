/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sidecar: makes a lazy file in its own thread, while reads continue.
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

/* The directory of temporary files: TMPDIR or /var/tmp. */
const char *sidecar_temporary_dir(void);

/* Opens a file without a name in that directory, for what is too large for memory; -1 if that fails
 * (logged). To be called before the sandbox forbids it. */
int sidecar_open_temporary(void);

struct sidecar_job *sidecar_start(const struct sidecar_config *config, struct err *err);

/* An eventfd that becomes readable when the file is ready, or has failed. */
int sidecar_wake_fd(const struct sidecar_job *job);

/* The progress of the file. False if there was none since the last call. */
struct sidecar_progress {
    const char *what;
    uint64_t done, total;
};
bool sidecar_moved(struct sidecar_job *job, struct sidecar_progress *out);

/* When wake_fd is readable: -1 with the error, or the file, whose descriptor the caller then
 * owns. */
int sidecar_result(struct sidecar_job *job, struct made_sidecar *out, struct err *err);

/* Stops the thread if it has not ended, and frees the job. Returns the temporary file if it was not
 * used, or -1. */
int sidecar_end(struct sidecar_job *job);

#endif
