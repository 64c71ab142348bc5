/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency: counts durations in buckets whose width grows with the duration. Durations below 16 µs
 * are exact, longer ones within an eighth. Its size is fixed.
 */
#ifndef VCZFS_FUSED_FILES_LATENCY_H
#define VCZFS_FUSED_FILES_LATENCY_H

#include <stdint.h>

#define LATENCY_BUCKETS 320 /* up to 2^42 µs, seven weeks; longer ones count as that */

struct latency {
    uint64_t counts[LATENCY_BUCKETS];
    uint64_t n;
    uint64_t max; /* µs */
};

void latency_add(struct latency *latency, uint64_t us);

/* The µs that at least `part` (0 to 1) of all durations did not exceed; 0 if there are none. */
uint64_t latency_quantile(const struct latency *latency, double part);

#endif
