/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiting: requests of the kernel that cannot be answered yet. It knows how long each has waited,
 * and which have been interrupted.
 *
 * It does not answer requests: it calls its owner, who does. A waiter is a part of the owner's own
 * struct for the request.
 */
#ifndef VCZFS_FUSED_FILES_WAITING_H
#define VCZFS_FUSED_FILES_WAITING_H

#include "fused/files/outside.h"

#include <sys/queue.h>

struct waiting_request {
    TAILQ_ENTRY(waiting_request) entry;
    struct waiting *waiting;
    struct fuse_req *req;
    uint64_t since; /* ms: when its time began */
    bool interrupted;
};

struct waiting_handlers {
    /* The waiter's time is over, or its program was interrupted. The handler must remove the waiter
     * with waiting_remove, and may remove others. */
    void (*overdue)(struct waiting_request *waiter, void *arg);
    void (*interrupted)(struct waiting_request *waiter, void *arg);
};

struct waiting {
    const struct outside *outside; /* borrowed */
    const struct waiting_handlers *handlers;
    void *arg;
    uint64_t timeout_ms;
    TAILQ_HEAD(waiting_requests, waiting_request) waiters; /* in order of arrival */
    struct timer *deadline;                                /* armed while there are waiters */
    struct timer *interrupt;
};

/* -1 with ERR_MEMORY; waiting_free may be called then, too. */
int waiting_init(struct waiting *waiting, const struct outside *outside, uint64_t timeout_ms,
                 const struct waiting_handlers *handlers, void *arg, struct err *err);

/* Nobody waits any more. */
void waiting_free(struct waiting *waiting);

/* Adds a waiter; its time begins now. */
void waiting_add(struct waiting *waiting, struct waiting_request *waiter, struct fuse_req *req);
void waiting_remove(struct waiting *waiting, struct waiting_request *waiter);

#endif
