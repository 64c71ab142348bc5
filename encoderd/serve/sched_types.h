/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched_types: what a scheduler is told, and what it answers.
 */
#ifndef VCZFS_SERVE_SCHED_TYPES_H
#define VCZFS_SERVE_SCHED_TYPES_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sched_read {
    uint64_t id;     /* the caller's, handed back */
    uint64_t handle; /* tells readers apart */
    uint64_t offset, length;
    size_t file; /* index into view->files; a stream */
};

/* The answer to a read: a lease or an error. */
struct sched_answer {
    uint64_t id;
    bool failed;
    struct err err; /* when failed */
    uint64_t lease, offset, length, at;
};

struct sched_config {
    unsigned nthreads;
    size_t scratch_max; /* bytes, each worker */
    size_t cache_max;   /* bytes, for chunks that can only be decoded whole; 0: none are kept */
    size_t kept_max;    /* bytes, for blocks of random readers; 0: none are kept */
    size_t fetch_max;   /* bytes, for what is fetched before it is decoded */
};

struct sched_stats {
    uint64_t reads, spans, spans_failed, blocks, bytes_decoded, bytes_encoded, leases_held;
    uint64_t mixed_phase; /* rows made that have both phased and unphased calls */
    uint64_t arena_used;
    /* Of the store, since it was opened, including the opening of the view. */
    uint64_t requests, bytes_read, opened, waits, most_in_flight;
    uint64_t unforeseen; /* reads during decoding that encode_need had not asked for */
};

#endif
