/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead: asks the store for the chunks of a pass's arrays before the pass reaches them.
 *
 * A pass goes through ranges of variants, one thread a range, and reads some arrays completely. If
 * reading from the store takes time, a separate thread fetches the chunks of the next ranges, many
 * side by side. If it does not, that thread only tries one chunk now and then.
 */
#ifndef VCZFS_VCZ_AHEAD_H
#define VCZFS_VCZ_AHEAD_H

#include "encoderd/zarr/chunk/chunk_table.h"

#define AHEAD_ARRAYS_MAX 8

/* All borrowed. */
struct ahead_plan {
    struct chunk_table *table; /* the table that the pass's decoders share */
    const struct zarr_array
        *arrays[AHEAD_ARRAYS_MAX]; /* variants must be their first axis; NULL ones are ignored */
    uint64_t nranges;
    /* The variants of range i, which ascend with i. Any thread. */
    void (*range)(const void *arg, uint64_t i, uint64_t *begin, uint64_t *end);
    const void *arg;
};

struct ahead;

/* NULL if there is no memory or no thread for it: then nothing is read ahead, and the other
 * functions do nothing. */
struct ahead *ahead_begin(const struct ahead_plan *plan);

/* Reports that the pass has reached this range. Any thread. */
void ahead_reached(struct ahead *ahead, uint64_t range);

/* Waits for the requests in progress. */
void ahead_end(struct ahead *ahead);

#endif
