/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phase_cache: what is phased in which rows of blocks of call_genotype_phased, once it is known.
 *
 * A block of that array is long and says little, spans are shorter than it, and each would have to
 * decode it again. And where all calls are phased, or none, chunk after chunk is stored in the same
 * few bytes, which need not be decoded to know. Of one view; shared by all threads. Fixed in size.
 */
#ifndef VCZFS_ENCODE_PHASE_CACHE_H
#define VCZFS_ENCODE_PHASE_CACHE_H

#include "encoderd/zarr/chunk/chunk.h"

#include <stdbool.h>
#include <stdint.h>

/* Rows whose flags are kept together. */
#define PHASE_ROWS 64

/* Rows [first_row, first_row + PHASE_ROWS) of a chunk, as far as they lie in one of its blocks. */
struct phase_key {
    uint64_t vchunk, schunk, block, first_row;
};
struct phase_rows {
    uint8_t seen[PHASE_ROWS]; /* PHASE_ bits of each; 0: none of the row's selected calls is in the
                                 block */
};

struct phase_cache;

struct phase_cache *phase_cache_new(struct err *err);
void phase_cache_free(struct phase_cache *cache);

bool phase_cache_get(struct phase_cache *cache, const struct phase_key *key,
                     struct phase_rows *out);

/* Whatever was in its place is forgotten. */
void phase_cache_put(struct phase_cache *cache, const struct phase_key *key,
                     const struct phase_rows *rows);

/* The rows of a block, by its place in chunks of its column and by how it is stored. A view's
 * chunks are all cut alike, so that the same bytes in the same place say the same of the rows
 * there. */
#define PHASE_BLOCK_ROWS 128
struct phase_block {
    uint64_t schunk, begin; /* its first byte in the decoded chunk */
    struct stored_block as;
    uint8_t seen[PHASE_BLOCK_ROWS]; /* of each row, from the one of its first byte on */
};

/* False unless one of the same place, stored in the same way, was put; else fills in `seen`. */
bool phase_cache_get_block(struct phase_cache *cache, struct phase_block *block);
void phase_cache_put_block(struct phase_cache *cache, const struct phase_block *block);

#endif
