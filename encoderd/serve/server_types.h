/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_types: what the server knows of its front and of the view.
 */
#ifndef VCZFS_SERVE_SERVER_TYPES_H
#define VCZFS_SERVE_SERVER_TYPES_H

#include "common/buf.h"
#include "common/err.h"
#include "encoderd/serve/server_config.h"

#include <sys/queue.h>

struct fetching;
TAILQ_HEAD(fetchings, fetching);

/* All of it is the main thread's, but for what means.c says. NULL until there is an open view:
 * view, arena, sched, events. */
struct server {
    struct server_config config;
    struct event_base *base;
    struct conn *conn;
    int fd;    /* the connection's, for watching it while an open keeps the loop waiting; owned by
                * conn */
    int statm; /* /proc/self/statm, opened while that is still allowed; -1 if it cannot be had */
    bool greeted, sandboxed;
    struct buf lacks; /* owned; what the sandbox cannot keep the encoder from */
    struct view *view;
    struct arena *arena;
    struct sched *sched;
    struct event *wake, *idle;
    struct event *turn;         /* when all messages that have come are read */
    struct fetchings fetchings; /* owned */
    int temporary;       /* a file without a name, for a fetch; -1: none, or a fetch has it */
    struct spill *spill; /* owned; for chunks that no memory holds; NULL: there can be none */
    struct held *held;   /* owned */
    bool active;         /* since the last tick of idle */
    uint64_t open_id;
    struct err why; /* the connection is over */
};

#endif
