/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the reads' requests (reads.c) and the encoder's answers to them (reads_answers.c) share.
 */
#ifndef VCZFS_FUSED_FILES_READS_IMPL_H
#define VCZFS_FUSED_FILES_READS_IMPL_H

#include "fused/files/asks.h"
#include "fused/files/late.h"
#include "fused/files/leased.h"
#include "fused/files/pending.h"
#include "fused/files/read_counts.h"
#include "fused/files/reads.h"

struct reads {
    struct reads_config config;
    struct waiting waiting; /* the pending reads */
    struct pending_pool pool;
    struct asks asks;
    struct leased leased;
    struct late late;
    struct read_counts counts;
    bool up, stale;
    uint64_t nopen[PROTO_FILES_MAX]; /* handles */
};

/* Answers it with an error; it is gone. */
void reads_fail(struct reads *reads, struct pending *read, int errnum);

/* All that wait, as far as they get with what is there. */
void reads_advance_all(struct reads *reads);

static inline uint64_t reads_now(const struct reads *reads)
{
    return timers_ms(&reads->config.outside->timers);
}

#endif
