/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parallel: makes n independent pieces of work on a few threads and takes the results in order.
 */
#ifndef VCZFS_COMMON_PARALLEL_H
#define VCZFS_COMMON_PARALLEL_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

struct parallel_job {
    uint64_t npieces;
    unsigned nthreads;
    /* Called once in each thread, before its first piece. *worker is passed to make and stop.
     * Optional. */
    int (*start)(void *arg, void **worker, struct err *err);
    void (*stop)(void *arg, void *worker);
    /* Makes piece i, on any thread. *piece is then passed to take. */
    int (*make)(void *arg, void *worker, uint64_t i, void **piece, struct err *err);
    /* Called for 0, 1, 2, ... in order, one call at a time, on any thread. It owns the piece. After
     * a failure of an earlier piece `discard` is called in its place. */
    int (*take)(void *arg, uint64_t i, void *piece, struct err *err);
    void (*discard)(void *arg, void *piece);
    void *arg;
};

/* Runs the job on job->nthreads threads, the caller's included. No thread makes a piece that is
 * more than 2 × nthreads ahead of the one that is due, so that memory stays bounded. Of several
 * errors the one of the first piece in order is returned; it ends the job. */
int parallel_run(const struct parallel_job *job, struct err *err);

/* Starts a detached thread that mostly waits, with a small stack. False if the system gives none.
 */
bool parallel_detach(void *(*run)(void *), void *arg);

#endif
