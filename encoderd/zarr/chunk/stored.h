/*
 * stored: what is known of one chunk, or of one shard, as it is stored.
 *
 * Both are a range of an object's bytes: all of an object, or what the index of the shard around it says. They
 * belong to a chunk_table and are found by their place in it. What is known is found out step by step, by whoever
 * needs it first, and does not change from then on; the steps are made under the stored one's own lock, and what a
 * step has found may be read without it by whoever has seen the step made. A step that failed was not made.
 */
#ifndef VCZFS_ZARR_CHUNK_STORED_H
#define VCZFS_ZARR_CHUNK_STORED_H

#include "encoderd/zarr/chunk/chunk_table_impl.h"

/* The chunk at `index` (checked): a reference, for stored_put. NULL and ERR_MEMORY. */
struct stored *stored_get(struct chunk_table *table, const struct zarr_array *array,
                          const uint64_t *index, struct err *err);

/* Make the steps up to this one, for the chunk at `index`, which the stored one was found by. Later ones have made the
 * earlier. */
int stored_locate(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                  struct err *err);
int stored_head(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                struct err *err);
int stored_index(struct stored *stored, const struct zarr_array *array, const uint64_t *index,
                 struct err *err);

#endif
