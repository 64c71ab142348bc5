/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parallel: n independent pieces of work on a few threads, results taken in order.
 */
#ifndef VCZFS_COMMON_PARALLEL_H
#define VCZFS_COMMON_PARALLEL_H

#include "common/err.h"

#include <stdint.h>

struct parallel_job {
    uint64_t npieces;
    unsigned nthreads;
    /* Called once per thread, before its first piece; *worker is handed to make and stop.
     * Optional. */
    int (*start)(void *arg, void **worker, struct err *err);
    void (*stop)(void *arg, void *worker);
    /* Makes piece i. Runs on any thread. *piece goes to take. */
    int (*make)(void *arg, void *worker, uint64_t i, void **piece, struct err *err);
    /* Called for 0, 1, 2, ... in order, one call at a time, on any thread; owns piece, also when an
     * earlier piece failed (then taken is not wanted: `discard` is called instead). */
    int (*take)(void *arg, uint64_t i, void *piece, struct err *err);
    void (*discard)(void *arg, void *piece);
    void *arg;
};

/* Runs the job on job->nthreads threads (the caller's included); no thread makes a piece further
 * than 2 × nthreads ahead of the one that is due, so that memory stays bounded. The first error in
 * piece order ends the job and is the one returned. */
int parallel_run(const struct parallel_job *job, struct err *err);

#endif
