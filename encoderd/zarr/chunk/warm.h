/* SPDX-License-Identifier: Apache-2.0 */
/*
 * warm: opens a chunk that will be read soon and brings its bytes into memory.
 *
 * It is for passes over whole arrays of a store that is far away: threads that do nothing else warm
 * many chunks side by side, and others decode them.
 */
#ifndef VCZFS_ZARR_CHUNK_WARM_H
#define VCZFS_ZARR_CHUNK_WARM_H

#include "encoderd/zarr/chunk/chunk_table.h"

/* Reads the chunk at `index` (checked), so that the table has it open and the system has its bytes
 * in memory, if it keeps what was read. Of a long chunk only the beginning is read. Errors are
 * dropped; reading the chunk later reports them. */
void chunk_warm(struct chunk_table *table, const struct zarr_array *array, const uint64_t *index);

#endif
