/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched_core: what the server's thread and the workers share: spans and their cells, under one
 * lock.
 *
 * What a cell goes through is here; which is next, and on which thread, is said elsewhere (next.h,
 * worker.h, quick.h).
 */
#ifndef VCZFS_SERVE_SCHED_CORE_H
#define VCZFS_SERVE_SCHED_CORE_H

#include "encoderd/encode/phase_cache.h"
#include "encoderd/serve/span.h"
#include "encoderd/serve/view.h"

#include <pthread.h>
#include <stdatomic.h>

struct sched_core {
    /* Set when it is made, and then only read; what they point to has locks of its own. */
    const struct view *view; /* borrowed */
    struct sched_config config;
    int wake_fd;                /* owned */
    struct cache *cache;        /* owned; NULL if there is to be none */
    struct phase_cache *phases; /* owned */
    struct chunk_table *chunks; /* owned */
    struct block_cache *kept;   /* owned; NULL if there is to be none */

    /* Any thread. */
    atomic_uint nannounced; /* times that spans came that workers should see to */
    atomic_bool woken;      /* wake_fd is readable, or about to be */

    pthread_mutex_t lock; /* covers all that follows; core_unlock says how it is dropped */
    pthread_cond_t work;  /* there is something for a worker to do, or stop */
    pthread_cond_t slow;  /* there is something for a thread that may wait, or stop */
    bool stop;
    struct span_table spans;
    struct sched_stats stats;
    struct waiters stalled; /* reads that found no room */
    uint64_t block_rows;    /* rows that a block was last seen to reach over */
    /* us of workers' time for random readers, half that for sequential ones: see next_span */
    uint64_t served[2];
    uint64_t nclears; /* needs cleared so far */
    uint64_t nfresh;  /* cells that nobody has been woken for */
};

int core_init(struct sched_core *core, const struct view *view, struct arena *arena,
              const struct sched_config *config, struct err *err);
/* After all threads have gone; also if core_init failed. */
void core_clear(struct sched_core *core);

void core_lock(struct sched_core *core);

/* Drops the lock, and then clears the needs of cells that were dropped under it: storing and waking
 * take locks of their own. */
void core_unlock(struct sched_core *core);

/* The server should look. Better without the lock, which it wants next. */
void core_wake_server(struct sched_core *core);

/* All that follows is called under the lock. */

/* A new span is queued, or done: it may need no genotypes, or a chunk that is held back. */
void core_announce(struct sched_core *core, struct span *span);

/* A span that lay there has got its part of the arena, or somebody waits for it: there may be more
 * to do. */
void core_announce_again(struct sched_core *core, const struct span *span);

/* A cell of a span that has some to do, taken; NULL if there is no memory: then the span has
 * failed. */
struct cell *core_take(struct sched_core *core, struct span *span);

enum cell_turn {
    TURN_RUN,   /* the thread that has taken it is to run it */
    TURN_LEAVE, /* it is another's, or the store's */
    TURN_END,   /* nobody needs it any more: it is to be ended */
};

/* What encode_need said of a cell that was taken, unless it failed. */
enum cell_turn core_asked(struct sched_core *core, struct cell *cell, enum need need);

/* The cell is over, and its need cleared. True if the server should hear of it once the lock is
 * dropped. */
bool core_end_cell(struct sched_core *core, struct cell *cell, const struct err *failed);

/* A donation to the span is over. As core_end_cell. */
bool core_end_donation(struct sched_core *core, struct span *span, const struct err *failed);

/* The thread that has taken the cell has no time for it: a worker is to run it. */
void core_leave(struct sched_core *core, struct cell *cell);

/* Should anybody be asleep who has something to do, or lack room that there is, all the same. */
void core_look(struct sched_core *core);

/* What the decoders of a thread have done since it was last asked. */
void core_add_decoder_stats(struct sched_core *core, const struct decoder_stats *now,
                            struct decoder_stats *seen);

#endif
