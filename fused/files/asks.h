/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asks: what the encoder has been asked for and has not answered yet. A pure list, without I/O.
 */
#ifndef VCZFS_FUSED_FILES_ASKS_H
#define VCZFS_FUSED_FILES_ASKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct ask {
    uint64_t id, file, handle;
    uint64_t offset, length; /* bytes of the file */
    uint64_t reach;          /* how many the answer may hold, if more */
    bool overdue;            /* a reader gave up on it: the next one asks afresh */
    bool ahead;              /* nobody waited for it when it was sent */
    LIST_ENTRY(ask) entry;
};

/* Zero-initialise. */
struct asks {
    LIST_HEAD(, ask) list;
    LIST_HEAD(, ask) spare; /* for the next ones */
};

/* Takes a copy, which the list owns; NULL if there is no memory for it. */
struct ask *asks_add(struct asks *asks, const struct ask *ask);
void asks_remove(struct asks *asks, struct ask *ask);
void asks_clear(struct asks *asks);
void asks_free(struct asks *asks); /* for good */

/* NULL if there is none. */
struct ask *asks_by_id(const struct asks *asks, uint64_t id);

/* One whose answer will hold the byte at offset: it begins there, or the same handle asked for a
 * range around it, or may get one. The answer may be shorter than that, so that whoever relies on
 * it must look. */
struct ask *asks_for(const struct asks *asks, uint64_t file, uint64_t handle, uint64_t offset);

#endif
