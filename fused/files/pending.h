/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending: a read that waits, what it has got so far, and where such reads come from: they, and the
 * memory of their replies, are used again.
 */
#ifndef VCZFS_FUSED_FILES_PENDING_H
#define VCZFS_FUSED_FILES_PENDING_H

#include "common/pool.h"
#include "fused/files/asks.h"
#include "fused/files/waiting.h"

#include <stddef.h>

/* What a pending read keeps when it is used again. */
struct pending_memory {
    uint8_t *data; /* owned */
    size_t cap;
};

/* What does not change. */
struct pending_read {
    uint64_t file, handle;
    uint64_t offset;
    size_t size;
    int64_t t_start; /* for the access log */
    uint64_t begun;  /* us */
};

struct pending {
    struct pending_memory memory; /* first: see pool_init */
    struct waiting_request waiter;
    struct pending_read read;
    size_t have;     /* bytes that are in memory.data */
    struct ask *ask; /* the one it waits for, or NULL */
    size_t left;     /* of its first bytes, what is left in leases until the rest has come */
    bool lost;       /* less than that was found: from now on they are copied */
    bool held;       /* it needs a chunk that is being probed */
    unsigned nagain; /* times that what was held back was not any more */
    bool starved;    /* an encoder had no memory for it */
};

static inline struct pending *pending_of(struct waiting_request *waiter)
{
    return (struct pending *)(void *)((char *)waiter - offsetof(struct pending, waiter));
}

/* Walks over reads that wait, of which the one at hand may go meanwhile. */
#define PENDING_FOREACH(read, waiting)                                                             \
    for (struct waiting_request *at_ = TAILQ_FIRST(&(waiting)->waiters), *next_;                   \
         at_ != NULL && (next_ = TAILQ_NEXT(at_, entry), read = pending_of(at_), true);            \
         at_ = next_)

/* Those that are not in use. */
struct pending_pool {
    struct pool pool;
    size_t kept; /* bytes that they keep */
};

void pending_pool_init(struct pending_pool *pool);
void pending_pool_clear(struct pending_pool *pool);

/* NULL: out of memory. */
struct pending *pending_new(struct pending_pool *pool, const struct pending_read *read);
void pending_free(struct pending_pool *pool, struct pending *read);

/* Room in memory.data for all of it; false: out of memory. */
bool pending_make_room(struct pending *read);

/* Where the first byte is that it lacks: it has those before copied, or they wait for it in
 * leases. */
uint64_t pending_lacks(const struct pending *read);

#endif
