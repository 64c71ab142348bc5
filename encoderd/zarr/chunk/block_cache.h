/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_cache: genotypes of blocks that were decoded for a random reader, in case the next one
 * wants others of them.
 *
 * A block holds dozens of rows, and a random reader takes part of one. What comes back to the same
 * places (a region, a list of variants, several jobs with the same list) finds there what decoding
 * would cost a hundred times as much to make again. A block is kept when it has been decoded for
 * the second time, so that readers who never come back cost next to nothing; and only if plane 0
 * says all of it, an eighth of its size: two-allele calls none of which is missing. Memory is
 * bounded, mmapped, and used in a ring: the oldest goes. Thread-safe throughout.
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

/* Which block it is. All of it counts, so zero-initialise. */
struct block_cache_key {
    const struct store *store;
    uint8_t identity[32]; /* of the array */
    uint64_t index[ZARR_DIMS_MAX];
    uint64_t block;
};

/* budget: bytes of planes. */
struct block_cache *block_cache_new(size_t budget, struct err *err);
void block_cache_free(struct block_cache *kept);

/* Forgets all, and gives the memory back to the system. */
void block_cache_trim(struct block_cache *kept);

/* The block's planes, PLANES_LOW of nbytes each, written to `to`; false if it is not there. */
bool block_cache_get(struct block_cache *kept, const struct block_cache_key *key, uint64_t nbytes,
                     uint8_t *to);

/* Is it there, for now? */
bool block_cache_has(struct block_cache *kept, const struct block_cache_key *key);

/* Keeps a copy if the block was put before, not too long ago, unless the planes say more than plane
 * 0 does. */
void block_cache_put(struct block_cache *kept, const struct block_cache_key *key,
                     const struct planes *planes);

#endif
