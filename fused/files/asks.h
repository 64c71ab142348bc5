/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asks: the list of requests that the encoder has not answered yet. Without I/O.
 */
#ifndef VCZFS_FUSED_FILES_ASKS_H
#define VCZFS_FUSED_FILES_ASKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct ask {
    uint64_t id, file, handle;
    uint64_t offset, length; /* bytes of the file */
    uint64_t reach;          /* expected bytes of the answer, if more than length */
    bool overdue;            /* a reader timed out on it; the next one asks again */
    bool ahead;              /* no reader waited for it when it was sent */
    LIST_ENTRY(ask) entry;
};

/* Zero-initialise. */
struct asks {
    LIST_HEAD(, ask) list;
    LIST_HEAD(, ask) spare; /* for the next ones */
};

/* Adds a copy of `ask`, which the list owns. NULL if there is no memory. */
struct ask *asks_add(struct asks *asks, const struct ask *ask);
void asks_remove(struct asks *asks, struct ask *ask);
void asks_clear(struct asks *asks);
void asks_free(struct asks *asks); /* for good */

/* NULL if there is none. */
struct ask *asks_by_id(const struct asks *asks, uint64_t id);

/* A request whose answer should hold the byte at offset: it begins there, or the same handle asked
 * for a range around the byte, or expects to get one. The answer may be shorter, so the caller must
 * check it. */
struct ask *asks_for(const struct asks *asks, uint64_t file, uint64_t handle, uint64_t offset);

#endif
