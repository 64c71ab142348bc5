/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead: chunks of the arrays that a pass reads, asked of the store before the pass comes to them.
 *
 * A pass goes through ranges of variants, a thread a range, and reads some arrays whole. Where the
 * store makes somebody wait, a thread of its own has the chunks of the next ranges brought near,
 * many side by side; where it does not, it looks at a chunk now and then, and nothing else is done.
 */
#ifndef VCZFS_VCZ_AHEAD_H
#define VCZFS_VCZ_AHEAD_H

#include "encoderd/zarr/chunk/chunk_table.h"

#define AHEAD_ARRAYS_MAX 8

/* All borrowed. */
struct ahead_plan {
    struct chunk_table *table; /* that the pass's decoders share */
    const struct zarr_array
        *arrays[AHEAD_ARRAYS_MAX]; /* along variants first; NULL ones are left out */
    uint64_t nranges;
    /* The variants of a range, which ascend with its number. Any thread. */
    void (*range)(const void *arg, uint64_t i, uint64_t *begin, uint64_t *end);
    const void *arg;
};

struct ahead;

/* Without memory or a thread for it nothing is read ahead: then NULL, which the others ignore. */
struct ahead *ahead_begin(const struct ahead_plan *plan);

/* The pass has come to this range. Any thread. */
void ahead_reached(struct ahead *ahead, uint64_t range);

/* Waits for what was asked for. */
void ahead_end(struct ahead *ahead);

#endif
