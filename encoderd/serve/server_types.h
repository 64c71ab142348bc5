/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_types: the server's state: its front and its view.
 */
#ifndef VCZFS_SERVE_SERVER_TYPES_H
#define VCZFS_SERVE_SERVER_TYPES_H

#include "common/buf.h"
#include "common/err.h"
#include "encoderd/serve/server_config.h"

#include <sys/queue.h>

struct fetching;
TAILQ_HEAD(fetchings, fetching);

/* Everything belongs to the main thread, except what means.c says. view, arena, sched and the
 * events are NULL until a view is open. */
struct server {
    struct server_config config;
    struct event_base *base;
    struct conn *conn;
    /* the connection's, to see its end while an open blocks the event loop; owned by conn */
    int fd;
    int statm; /* /proc/self/statm, opened before the sandbox forbids it; -1 if it could not be */
    bool greeted, sandboxed;
    struct buf lacks; /* owned; what the sandbox could not restrict */
    struct view *view;
    struct arena *arena;
    struct sched *sched;
    struct event *wake, *idle;
    struct event *turn;         /* runs when all messages that have come are read */
    struct fetchings fetchings; /* owned */
    /* a file without a name, for a fetch; -1: there is none, or a fetch has it */
    int temporary;
    struct spill *spill; /* owned; for chunks too large for memory; NULL: none are possible */
    struct held *held;   /* owned */
    bool active;         /* since the last tick of idle */
    uint64_t open_id;
    struct err why; /* the connection is over */
};

#endif
