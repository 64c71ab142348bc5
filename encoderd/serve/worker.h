/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker: the threads that make cells.
 */
#ifndef VCZFS_SERVE_WORKER_H
#define VCZFS_SERVE_WORKER_H

#include "encoderd/serve/make.h"

/* The number of threads that may wait for storage, for chunks too large for memory; started when
 * there is such a chunk. */
#define SLOW_MAX 2

struct worker {
    /* Its own thread's, while that runs. */
    struct maker maker;
    bool small; /* the last cell was a random reader's */
    /* The server's thread's. */
    pthread_t thread;
    bool started;
};

/* The server's thread's. */
struct workers {
    struct worker *items; /* owned: config.nthreads, then SLOW_MAX */
};

int workers_start(struct workers *workers, struct sched_core *core, struct err *err);
void workers_stop(struct workers *workers, struct sched_core *core);

/* Starts the threads that may wait for storage, if there is work for them and they do not run yet.
 * Under the lock. */
void workers_start_slow(struct workers *workers, struct sched_core *core);

#endif
