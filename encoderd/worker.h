/*
 * worker: the threads that make cells.
 */
#ifndef VCZFS_ENCODERD_WORKER_H
#define VCZFS_ENCODERD_WORKER_H

#include "encoderd/make.h"

/* Threads that may wait for storage, for chunks that cannot be held in memory; started when there is one. */
#define SLOW_MAX 2

/* Threads beyond config.nthreads, for when those wait for a disk: a file that cannot be read must not hold
 * up readers of the others. Each chunk that hangs takes one. */
#define SPARES_MAX 8

struct worker {
    /* Its own thread's. */
    struct maker maker;
    bool small; /* the last cell was a random reader's */
    bool spare; /* set before it begins */

    /* The server's thread's. */
    pthread_t thread;
    bool started;
    uint64_t ncells_then; /* at the last look, */
    struct timespec cpu_then;

    /* Under the core's lock. */
    bool busy;               /* with `cell` */
    bool stuck;              /* for a second or more, without computing: it waits for a disk */
    bool gone;               /* a spare that is not needed any more; to be joined */
    struct encode_cell cell; /* while busy */
    uint64_t ncells;         /* begun so far */
};

/* The server's thread's. */
struct workers {
    struct worker *items; /* owned: config.nthreads, then SPARES_MAX, then SLOW_MAX */
};

int workers_start(struct workers *workers, struct sched_core *core, struct err *err);
void workers_stop(struct workers *workers, struct sched_core *core);

/* A look at each, to be taken every second or so: if all of them wait for a disk while there is other
 * work, another one is started. True if any is busy. */
bool workers_look(struct workers *workers, struct sched_core *core);

/* Starts those that may wait for storage, if there is anything for them and they do not run. Under the lock. */
void workers_start_slow(struct workers *workers, struct sched_core *core);

#endif
