/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blosc_blocks: blocks as Blosc cut them, in chunks whose index is known.
 */
#ifndef VCZFS_ZARR_CHUNK_BLOSC_BLOCKS_H
#define VCZFS_ZARR_CHUNK_BLOSC_BLOCKS_H

#include "encoderd/zarr/chunk/layouts.h"

/* How many stored bytes block i may need. */
size_t chunk_stored_nbytes(const struct chunk *chunk, uint32_t i);

/* Decodes block i to `to`, plain and in native byte order. The scratch needs room for its stored
 * bytes. */
int blosc_block_into(struct decoder *decoder, struct chunk *chunk, uint32_t i, uint8_t *to,
                     struct err *err);

/* Replaces *first and *last, blocks of the chunk, by the range of Blosc's blocks that they overlap,
 * if the chunk is cut in another way. */
void blosc_blocks_of(const struct chunk *chunk, uint64_t *first, uint64_t *last);

/* Asks for the stored bytes of Blosc's blocks [first, last], except those that are not wanted;
 * NULL: all are. */
enum need blosc_blocks_need(struct chunk *chunk, uint64_t first, uint64_t last,
                            bool (*wanted)(const struct decoder *, const struct chunk *, uint32_t),
                            const struct decoder *decoder, struct chunk_need *need,
                            struct err *err);

#endif
