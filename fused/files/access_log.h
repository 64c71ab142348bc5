/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_log: records who read what and when, as one JSON object a line.
 *
 * Lines are buffered and written once a second, or when 64 KiB have been collected. If nothing more
 * can be written (a full disk), the file ends with a whole line.
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
    const char *name; /* of the file; NULL: the directory */
    uint64_t handle;
    uint64_t offset, size; /* bytes; for reads */
    int64_t t_start;       /* microseconds since the epoch */
    int errnum;            /* 0: it worked */
};

/* Takes over fd, which is in append mode. NULL on failure. */
struct access_log *access_log_new(struct event_base *base, int fd, struct err *err);

/* Writes out what is buffered. NULL is fine. */
void access_log_free(struct access_log *log);

/* Adds a line; the access ends now. Does nothing if log is NULL. */
void access_log_add(struct access_log *log, const struct access_entry *entry);

/* The present time for t_start; 0 if log is NULL, which costs nothing. */
int64_t access_log_now(const struct access_log *log);

/* Appends the line to out. */
void access_log_format(struct buf *out, const struct access_entry *entry, int64_t t_end);

#endif
