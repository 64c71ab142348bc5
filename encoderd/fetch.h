/*
 * fetch: a lazy file made by a thread of its own, while reads go on.
 */
#ifndef VCZFS_ENCODERD_FETCH_H
#define VCZFS_ENCODERD_FETCH_H

#include "encoderd/view.h"

struct fetch;

struct fetch_config {
    const struct view *view; /* borrowed until fetch_end */
    size_t file;             /* lazy */
    int64_t mtime;           /* of the view's files, seconds since the epoch */
    size_t scratch_max;      /* bytes */
    int temporary;           /* from fetch_open_temporary, or -1; owned */
};

/* Where temporary files are: TMPDIR or /var/tmp. */
const char *fetch_temporary_dir(void);

/* A file without a name there, for what is too large for memory; -1 if there can be none
 * (logged). To be opened while the process may still do that. */
int fetch_open_temporary(void);

struct fetch *fetch_start(const struct fetch_config *config, struct err *err);

/* An eventfd that is readable when the file is there, or cannot be. */
int fetch_wake_fd(const struct fetch *fetch);

/* How far it is. False if it has not moved since this was last asked. */
struct fetch_progress {
    const char *what;
    uint64_t done, total;
};
bool fetch_moved(struct fetch *fetch, struct fetch_progress *out);

/* Once that is so: -1 with the error, or the file, whose descriptor the caller then owns. */
int fetch_result(struct fetch *fetch, struct made_sidecar *out, struct err *err);

/* Ends the thread, soon, if it is not over by itself; frees. Returns the temporary file if it was not used,
 * or -1. */
int fetch_end(struct fetch *fetch);

#endif
