/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make: one cell, on the calling thread: asked what it needs, run, and what it donates.
 */
#ifndef VCZFS_SERVE_MAKE_H
#define VCZFS_SERVE_MAKE_H

#include "encoderd/serve/sched_core.h"

/* What a thread makes cells with; only that thread uses it. */
struct maker {
    struct sched_core *core; /* borrowed */
    struct encode_worker encode;
    struct decoder_stats seen; /* of its decoder's counters, already added to the core's */
    bool donates;              /* what is left of a block goes to other spans */
};

/* Microseconds on a clock that only goes on. */
uint64_t maker_now_us(void);

int maker_init(struct maker *maker, struct sched_core *core, size_t scratch_max,
               struct cache *cache, struct err *err);
void maker_clear(struct maker *maker);

/* All without the lock, with a cell that was taken. */

/* Asks what the cell needs. True if this thread is to run it now; else it is out of its hands. */
bool maker_ask(struct maker *maker, struct cell *cell);

/* Runs it, which waits for storage only if it was said to be slow. True if the server should hear
 * of it. */
bool maker_run(struct maker *maker, struct cell *cell);

#endif
