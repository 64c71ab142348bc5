/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched_core: what the server's thread and the workers share: spans and their cells, under one
 * lock.
 *
 * The states of a cell change here. Which cell is next, and which thread makes it, is decided
 * elsewhere (next.h, worker.h, quick.h).
 */
#ifndef VCZFS_SERVE_SCHED_CORE_H
#define VCZFS_SERVE_SCHED_CORE_H

#include "encoderd/encode/phase_cache.h"
#include "encoderd/serve/span.h"
#include "encoderd/serve/view.h"

#include <pthread.h>
#include <stdatomic.h>

struct sched_core {
    /* Constant after core_init; what they point to has its own locks. */
    const struct view *view; /* borrowed */
    struct sched_config config;
    int wake_fd;                /* owned */
    struct cache *cache;        /* owned; NULL if there is to be none */
    struct phase_cache *phases; /* owned */
    struct chunk_table *chunks; /* owned */
    struct block_cache *kept;   /* owned; NULL if there is to be none */

    /* Any thread. */
    atomic_uint nannounced; /* how often new work for workers was announced */
    atomic_bool woken;      /* wake_fd is readable, or about to be */

    pthread_mutex_t lock; /* covers all fields below; see core_unlock for how to drop it */
    pthread_cond_t work;  /* there is work for a worker, or `stop` is set */
    pthread_cond_t slow;  /* there is work for a thread that may wait, or `stop` is set */
    bool stop;
    struct span_table spans;
    struct sched_stats stats;
    struct waiters stalled; /* reads that found no room */
    uint64_t block_rows;    /* rows in one block, as last seen */
    /* us of workers' time for random readers, and half of that for sequential ones: see
     * next_span */
    uint64_t served[2];
    uint64_t nclears; /* needs cleared so far */
    uint64_t nfresh;  /* new cells for which no worker was woken yet */
};

int core_init(struct sched_core *core, const struct view *view, struct arena *arena,
              const struct sched_config *config, struct err *err);
/* To be called after all threads have ended; also if core_init failed. */
void core_clear(struct sched_core *core);

void core_lock(struct sched_core *core);

/* Drops the lock, and then clears the needs of cells that were dropped under it, because that takes
 * other locks: the store's, and that of `wake`. */
void core_unlock(struct sched_core *core);

/* Makes wake_fd readable. Better called without the lock, which the server takes next. */
void core_wake_server(struct sched_core *core);

/* All functions below are called under the lock. */

/* Counts the cells of a new span as work; or finishes the span at once, if it needs no genotypes or
 * if it fails because a chunk is held back. */
void core_announce(struct sched_core *core, struct span *span);

/* An existing span has got its part of the arena, or a read now waits for it: there may be more
 * work on it. */
void core_announce_again(struct sched_core *core, const struct span *span);

/* Takes a cell of a span that has work; NULL if there is none, or if there is no memory: then the
 * span has failed. */
struct cell *core_take(struct sched_core *core, struct span *span);

enum cell_turn {
    TURN_RUN,   /* the thread that has taken the cell must run it */
    TURN_LEAVE, /* the cell belongs to another thread, or waits */
    TURN_END,   /* the cell is not needed any more: the thread must end it */
};

/* Handles the answer of encode_need for a taken cell, except NEED_FAILED. */
enum cell_turn core_asked(struct sched_core *core, struct cell *cell, enum need need);

/* Ends a cell, whose need was cleared. True if the server must be woken after the lock is
 * dropped. */
bool core_end_cell(struct sched_core *core, struct cell *cell, const struct err *failed);

/* Ends a donation to the span. Returns the same as core_end_cell. */
bool core_end_donation(struct sched_core *core, struct span *span, const struct err *failed);

/* The thread that has taken the cell does not run it: leaves it to a worker. */
void core_leave(struct sched_core *core, struct cell *cell);

/* Wakes threads that sleep although there is work, and cells that lack room although there is
 * some. */
void core_look(struct sched_core *core);

/* Adds what a thread's decoders have done since the last call. */
void core_add_decoder_stats(struct sched_core *core, const struct decoder_stats *now,
                            struct decoder_stats *seen);

#endif
