/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_cache: keeps genotypes of blocks that were decoded for random readers, for later reads of
 * the same blocks.
 *
 * A block has dozens of rows, and a random reader takes only a part of one. Readers that return to
 * the same places (a region, a list of variants, several jobs with one list) find the block here;
 * decoding it again would cost a hundred times as much. A block is kept only when it is decoded for
 * the second time, so that blocks that are read once cost almost nothing. It is kept only if plane
 * 0 has all its data, which is an eighth of its size: two-allele calls without a missing one.
 * Memory is bounded, mapped with mmap, and used as a ring, in which the oldest block is replaced.
 * Thread-safe.
 */
#ifndef VCZFS_ZARR_CHUNK_BLOCK_CACHE_H
#define VCZFS_ZARR_CHUNK_BLOCK_CACHE_H

#include "common/err.h"
#include "encoderd/zarr/codec/planes.h"
#include "encoderd/zarr/meta/array.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block_cache;

/* Identifies a block. All bytes are compared, so zero-initialise. */
struct block_cache_key {
    const struct store *store;
    uint8_t identity[32]; /* of the array */
    uint64_t index[ZARR_DIMS_MAX];
    uint64_t block;
};

/* budget: in bytes of planes. */
struct block_cache *block_cache_new(size_t budget, struct err *err);
void block_cache_free(struct block_cache *kept);

/* Removes all blocks, and gives the memory back to the system. */
void block_cache_trim(struct block_cache *kept);

/* Writes the block's planes to `to`: PLANES_LOW planes of nbytes bytes. False if the block is not
 * kept. */
bool block_cache_get(struct block_cache *kept, const struct block_cache_key *key, uint64_t nbytes,
                     uint8_t *to);

/* Is it there, for now? */
bool block_cache_has(struct block_cache *kept, const struct block_cache_key *key);

/* Keeps a copy if the block was put before, not too long ago, and plane 0 has all its data. */
void block_cache_put(struct block_cache *kept, const struct block_cache_key *key,
                     const struct planes *planes);

#endif
