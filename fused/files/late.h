/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late: parts of files that missed their deadline a moment ago. A short list without I/O; when it
 * is full the oldest is forgotten.
 */
#ifndef VCZFS_FUSED_FILES_LATE_H
#define VCZFS_FUSED_FILES_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LATE_MAX 64

struct late {
    struct late_range {
        uint64_t file, begin, end;
    } ranges[LATE_MAX];
    size_t nranges;
    size_t next; /* the one to overwrite when full */
};

void late_add(struct late *late, uint64_t file, uint64_t begin, uint64_t end);

/* Is the byte in one of them? */
bool late_has(const struct late *late, uint64_t file, uint64_t offset);

#endif
