/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stored: what is known of one chunk, or of one shard, as it is stored.
 *
 * Both are a range of an object's bytes: all of an object, or what the index of the shard around it
 * says. They belong to a chunk_table and are found by their place in it. What is known is found out
 * step by step, by whoever needs it first, and does not change from then on; the steps are made
 * under the stored one's own lock, and what a step has found may be read without it by whoever has
 * seen the step made. A step that failed was not made.
 */
#ifndef VCZFS_ZARR_CHUNK_STORED_H
#define VCZFS_ZARR_CHUNK_STORED_H

#include "encoderd/zarr/chunk/chunk_need_impl.h"

/* The chunk at `index` (checked): a reference, for stored_put. NULL and ERR_MEMORY. */
struct stored *stored_get(struct chunk_table *table, const struct zarr_array *array,
                          const uint64_t *index, struct err *err);

/* Is a chunk one Blosc frame of its elements in C order? */
static inline bool stored_is_blosc(const struct zarr_meta *meta)
{
    return !meta->fortran && meta->nfilters == 0 && meta->ncodecs == 1 &&
           meta->codecs[0] == CODEC_BLOSC;
}

/* Makes the steps up to `to`, for the chunk at `index`, which the stored one was found by, with
 * what they take of the store. */
enum need stored_make(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                      enum stored_step to, struct chunk_need *need, struct err *err);

#endif
