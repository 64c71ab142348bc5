/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/latency.h"

#include <stddef.h>

#define SUB_BITS 3 /* log2 of the buckets between two powers of two */

static size_t bucket_of(uint64_t us)
{
    unsigned power = us == 0 ? 0 : 63 - (unsigned)__builtin_clzll(us);
    size_t bucket;

    if (power <= SUB_BITS)
        return (size_t)us;
    bucket = ((size_t)(power - SUB_BITS) << SUB_BITS) + (size_t)(us >> (power - SUB_BITS));
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* The largest value that this bucket counts. */
static uint64_t bucket_end(size_t bucket)
{
    unsigned power;

    if (bucket < 2U << SUB_BITS)
        return bucket;
    power = (unsigned)(bucket >> SUB_BITS) - 1;
    return ((((bucket & ((1U << SUB_BITS) - 1)) | 1U << SUB_BITS) + 1ULL) << power) - 1;
}

void latency_add(struct latency *latency, uint64_t us)
{
    latency->counts[bucket_of(us)]++;
    latency->n++;
    if (us > latency->max)
        latency->max = us;
}

uint64_t latency_quantile(const struct latency *latency, double part)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->counts[i];
        if (latency->n > 0 && (double)seen >= part * (double)latency->n && seen > 0) {
            uint64_t end = bucket_end(i);

            return end < latency->max && i < LATENCY_BUCKETS - 1 ? end : latency->max;
        }
    }
    return 0;
}
