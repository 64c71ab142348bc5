/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late: parts of files that missed their deadline a moment ago. A short list without I/O; when it
 * is full the oldest is forgotten, and all are once none has been added for LATE_MS.
 *
 * When read-ahead fails, the kernel asks again at once for the page that somebody waits for. That
 * must not take a second timeout. Times are milliseconds of any steady clock.
 */
#ifndef VCZFS_FUSED_FILES_LATE_H
#define VCZFS_FUSED_FILES_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LATE_MAX 64
#define LATE_MS  200

struct late {
    struct late_range {
        uint64_t file, begin, end;
    } ranges[LATE_MAX];
    size_t nranges;
    size_t next;    /* the one to overwrite when full */
    uint64_t until; /* when all are forgotten */
};

/* Adds [begin, end), unless `begin` is in there. */
void late_add(struct late *late, uint64_t file, uint64_t begin, uint64_t end, uint64_t now);

/* Is the byte in one of them? */
bool late_has(struct late *late, uint64_t file, uint64_t offset, uint64_t now);

#endif
