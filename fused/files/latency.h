/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency: how long things took, as counts in buckets that grow with what they count: exact below
 * 16 µs, within an eighth above. Its size is fixed, whatever is added.
 */
#ifndef VCZFS_FUSED_FILES_LATENCY_H
#define VCZFS_FUSED_FILES_LATENCY_H

#include <stdint.h>

#define LATENCY_BUCKETS 320 /* up to 2^42 µs, seven weeks; what is longer counts as that */

struct latency {
    uint64_t counts[LATENCY_BUCKETS];
    uint64_t n;
    uint64_t max; /* µs */
};

void latency_add(struct latency *latency, uint64_t us);

/* At least `part` (0 to 1) of all took no longer than this many µs; 0 if there are none. */
uint64_t latency_quantile(const struct latency *latency, double part);

#endif
