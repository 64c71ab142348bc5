/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiting: requests of the kernel that cannot be answered yet: who waits, for how long, and who
 * does not want to any more.
 *
 * It answers nobody: it says who is to be answered. A waiter is part of whatever its owner knows of
 * the request, and the owner's.
 */
#ifndef VCZFS_FUSED_FILES_WAITING_H
#define VCZFS_FUSED_FILES_WAITING_H

#include "fused/files/outside.h"

#include <sys/queue.h>

struct waiting_request {
    TAILQ_ENTRY(waiting_request) entry;
    struct waiting *waiting;
    struct fuse_req *req;
    uint64_t since; /* ms: its time counts from here */
    bool interrupted;
};

struct waiting_handlers {
    /* The waiter has had its time, or is not wanted any more: both are to take it, and perhaps
     * others, from the waiting. */
    void (*overdue)(struct waiting_request *waiter, void *arg);
    void (*interrupted)(struct waiting_request *waiter, void *arg);
};

struct waiting {
    const struct outside *outside; /* borrowed */
    const struct waiting_handlers *handlers;
    void *arg;
    uint64_t timeout_ms;
    TAILQ_HEAD(waiting_requests, waiting_request) waiters; /* in the order in which they came */
    struct timer *deadline;                                /* armed while anybody waits */
    struct timer *interrupt;
};

/* -1 with ERR_MEMORY; waiting_free is fine then, too. */
int waiting_init(struct waiting *waiting, const struct outside *outside, uint64_t timeout_ms,
                 const struct waiting_handlers *handlers, void *arg, struct err *err);

/* Nobody waits any more. */
void waiting_free(struct waiting *waiting);

/* Its time counts from now. */
void waiting_add(struct waiting *waiting, struct waiting_request *waiter, struct fuse_req *req);
void waiting_remove(struct waiting *waiting, struct waiting_request *waiter);

#endif
