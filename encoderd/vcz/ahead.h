/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead: chunks of the arrays that a pass reads, asked of the store before the pass comes to them.
 *
 * A pass goes through ranges of variants, a thread a range, and reads some arrays whole. Where the
 * store makes somebody wait, threads that do nothing else bring chunks of the next ranges near, the
 * nearest first, as many as the table keeps open until the pass has come to them; where it does
 * not, one looks at a chunk now and then, and nothing else is done.
 */
#ifndef VCZFS_VCZ_AHEAD_H
#define VCZFS_VCZ_AHEAD_H

#include "encoderd/zarr/chunk/chunk_table.h"

#define AHEAD_WHOLE_MAX  2
#define AHEAD_ARRAYS_MAX 8

/* All borrowed. */
struct ahead_plan {
    struct chunk_table *table; /* that the pass's decoders share */
    /* NULL ones are left out. */
    const struct zarr_array *whole[AHEAD_WHOLE_MAX];   /* of one axis; read before all others */
    const struct zarr_array *arrays[AHEAD_ARRAYS_MAX]; /* along variants first */
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

/* Waits for what was asked for, and asks for no more. */
void ahead_end(struct ahead *ahead);

#endif
