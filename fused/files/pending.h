/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending: a read that waits, with the bytes that it has so far, and a pool of such reads, which
 * reuses them and the memory of their replies.
 */
#ifndef VCZFS_FUSED_FILES_PENDING_H
#define VCZFS_FUSED_FILES_PENDING_H

#include "common/pool.h"
#include "fused/files/asks.h"
#include "fused/files/waiting.h"

#include <stddef.h>

/* The memory that a pending read keeps when it goes back to the pool. */
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
    size_t have;     /* bytes copied to memory.data */
    struct ask *ask; /* the request that it waits for, or NULL */
    size_t left;     /* first bytes that stay in leases until the rest has come */
    bool lost;       /* some of those were lost: bytes are copied from now on */
    bool held;       /* it needs a chunk that is being probed */
    unsigned nagain; /* times that it asked again after a chunk was cleared */
    bool starved;    /* an encoder had no memory for it */
};

static inline struct pending *pending_of(struct waiting_request *waiter)
{
    return (struct pending *)(void *)((char *)waiter - offsetof(struct pending, waiter));
}

/* Walks over the reads that wait. The body may remove the current one. */
#define PENDING_FOREACH(read, waiting)                                                             \
    for (struct waiting_request *at_ = TAILQ_FIRST(&(waiting)->waiters), *next_;                   \
         at_ != NULL && (next_ = TAILQ_NEXT(at_, entry), read = pending_of(at_), true);            \
         at_ = next_)

/* The reads that are not in use. */
struct pending_pool {
    struct pool pool;
    size_t kept; /* bytes that they keep */
};

void pending_pool_init(struct pending_pool *pool);
void pending_pool_clear(struct pending_pool *pool);

/* NULL: out of memory. */
struct pending *pending_new(struct pending_pool *pool, const struct pending_read *read);
void pending_free(struct pending_pool *pool, struct pending *read);

/* Makes room in memory.data for the whole read; false: out of memory. */
bool pending_make_room(struct pending *read);

/* The offset of the first byte that the read lacks. The bytes before it are copied, or stay in
 * leases. */
uint64_t pending_lacks(const struct pending *read);

#endif
