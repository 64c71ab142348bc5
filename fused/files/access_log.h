/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_log: who read what and when, one JSON object a line. Buffered: written once a second and
 * whenever 64 KiB have come together. A file that no more can be written to (a full disk) ends with
 * a whole line.
 */
#ifndef VCZFS_FUSED_FILES_ACCESS_LOG_H
#define VCZFS_FUSED_FILES_ACCESS_LOG_H

#include "common/buf.h"
#include "common/err.h"

#include <event2/event.h>
#include <stdint.h>

struct access_log;

struct access_entry {
    const char *kind; /* "open", "read", ... */
    const char *name; /* of the file; NULL for the directory itself */
    uint64_t handle;
    uint64_t offset, size; /* bytes; for reads */
    int64_t t_start;       /* microseconds since the epoch */
    int errnum;            /* 0: it worked */
};

/* Takes fd (append mode). NULL on failure. */
struct access_log *access_log_new(struct event_base *base, int fd, struct err *err);

/* Writes out what is buffered. NULL is fine. */
void access_log_free(struct access_log *log);

/* The end of the access is now. NULL log: nothing. */
void access_log_add(struct access_log *log, const struct access_entry *entry);

/* Now, for t_start; 0 if log is NULL, so that nobody pays for a log that is not kept. */
int64_t access_log_now(const struct access_log *log);

/* The line, appended to out. */
void access_log_format(struct buf *out, const struct access_entry *entry, int64_t t_end);

#endif
