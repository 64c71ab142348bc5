/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blosc_blocks: blocks as Blosc has cut them, of chunks whose index is known.
 */
#ifndef VCZFS_ZARR_CHUNK_BLOSC_BLOCKS_H
#define VCZFS_ZARR_CHUNK_BLOSC_BLOCKS_H

#include "encoderd/zarr/chunk/layouts.h"

/* Stored bytes of block i, as far as it may need them. */
size_t chunk_stored_nbytes(const struct chunk *chunk, uint32_t i);

/* Block i, plain and in native bytes, into `to`; with scratch for its stored bytes. */
int blosc_block_into(struct decoder *decoder, struct chunk *chunk, uint32_t i, uint8_t *to,
                     struct err *err);

/* Blosc's blocks that the chunk's own [*first, *last] reach into, where these are cut in another
 * way. */
void blosc_blocks_of(const struct chunk *chunk, uint64_t *first, uint64_t *last);

/* What Blosc's blocks [first, last] need, but for those that are not wanted; NULL: all are. */
enum need blosc_blocks_need(struct chunk *chunk, uint64_t first, uint64_t last,
                            bool (*wanted)(const struct decoder *, const struct chunk *, uint32_t),
                            const struct decoder *decoder, struct chunk_need *need,
                            struct err *err);

#endif
