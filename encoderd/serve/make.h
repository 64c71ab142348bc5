/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make: makes one cell on the calling thread: finds what it needs, runs it, and donates.
 */
#ifndef VCZFS_SERVE_MAKE_H
#define VCZFS_SERVE_MAKE_H

#include "encoderd/serve/sched_core.h"

/* What a thread needs for making cells; only that thread uses it. */
struct maker {
    struct sched_core *core; /* borrowed */
    struct encode_worker encode;
    struct decoder_stats seen; /* the decoder's counters, as far as they are added to the core's */
    bool donates;              /* the rest of a block is written to other spans */
};

/* Microseconds of a clock that never goes back. */
uint64_t maker_now_us(void);

int maker_init(struct maker *maker, struct sched_core *core, struct err *err);
void maker_clear(struct maker *maker);

/* The following are called without the lock, with a taken cell. */

/* Finds what the cell needs. True if this thread must run it now; else the cell no longer belongs
 * to this thread. */
bool maker_ask(struct maker *maker, struct cell *cell);

/* Runs the cell; waits for storage only if encode_need said NEED_SLOW. True if the server must be
 * woken. */
bool maker_run(struct maker *maker, struct cell *cell);

#endif
