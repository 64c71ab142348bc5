/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stored: what is known of one chunk, or of one shard, as it is stored.
 *
 * Both are a range of an object's bytes: the whole object, or what the index of the shard around it
 * gives. They belong to a chunk_table, which finds them by their place. What is known is found out
 * in steps, by the first thread that needs it, and does not change afterwards. A step is made under
 * the lock of its chunk or shard; a thread that has seen that a step is made may read its results
 * without the lock. A step that failed counts as not made.
 */
#ifndef VCZFS_ZARR_CHUNK_STORED_H
#define VCZFS_ZARR_CHUNK_STORED_H

#include "encoderd/zarr/chunk/chunk_need_impl.h"

/* A reference to the chunk at `index` (checked); give it back with stored_put. NULL and
 * ERR_MEMORY. */
struct stored *stored_get(struct chunk_table *table, const struct zarr_array *array,
                          const uint64_t *index, struct err *err);

/* Is each chunk one Blosc frame of its elements in C order? */
static inline bool stored_is_blosc(const struct zarr_meta *meta)
{
    return !meta->fortran && meta->nfilters == 0 && meta->ncodecs == 1 &&
           meta->codecs[0] == CODEC_BLOSC;
}

/* Makes the steps up to `to`, for the chunk at `index`, with which `stored` was found. Asks the
 * store, through the need, for what the steps read. */
enum need stored_make(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                      enum stored_step to, struct chunk_need *need, struct err *err);

#endif
