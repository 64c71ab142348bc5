/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reads.c (requests of the kernel) and reads_answers.c (answers of the encoder) share.
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

/* Answers the read with an error and frees it. */
void reads_fail(struct reads *reads, struct pending *read, int errnum);

/* Takes all waiting reads as far as the bytes allow. */
void reads_advance_all(struct reads *reads);

static inline uint64_t reads_now(const struct reads *reads)
{
    return timers_ms(&reads->config.outside->timers);
}

#endif
