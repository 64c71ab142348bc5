/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late: a short list of the parts of files whose read timed out a moment ago. When it is full, the
 * oldest part is forgotten. When nothing was added for LATE_MS, all are. Without I/O.
 *
 * If a read-ahead of the kernel fails, the kernel at once asks again for the page that the program
 * waits for. The list makes that second request fail at once, instead of after a second timeout.
 * Times are milliseconds of any steady clock.
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
    size_t next;    /* the next one to overwrite */
    uint64_t until; /* when all are forgotten */
};

/* Adds [begin, end), unless a part on the list contains `begin`. */
void late_add(struct late *late, uint64_t file, uint64_t begin, uint64_t end, uint64_t now);

/* Is the byte in a part on the list? */
bool late_has(struct late *late, uint64_t file, uint64_t offset, uint64_t now);

#endif
