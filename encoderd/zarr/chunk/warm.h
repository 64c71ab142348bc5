/* SPDX-License-Identifier: Apache-2.0 */
/*
 * warm: a chunk that will be read soon is opened, and its bytes are brought near.
 *
 * For passes over whole arrays of a store that is far away: many chunks are made ready side by
 * side, by threads that do nothing else, and decoded by others.
 */
#ifndef VCZFS_ZARR_CHUNK_WARM_H
#define VCZFS_ZARR_CHUNK_WARM_H

#include "encoderd/zarr/chunk/chunk_table.h"

/* Reads the chunk at `index` (checked) so that the table has it open and the system its bytes in
 * memory, if it keeps what was read; of a long one the beginning. What fails is told to whoever
 * reads it. */
void chunk_warm(struct chunk_table *table, const struct zarr_array *array, const uint64_t *index);

#endif
