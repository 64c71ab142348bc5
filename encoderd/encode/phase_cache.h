/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phase_cache: remembers which rows of blocks of call_genotype_phased are phased.
 *
 * A block of that array is longer than a span, and without this each span would decode it again.
 * And where all calls are phased, or none, chunk after chunk is stored in the same few bytes, which
 * need be decoded only once. Belongs to one view; shared by all threads. Fixed in size.
 */
#ifndef VCZFS_ENCODE_PHASE_CACHE_H
#define VCZFS_ENCODE_PHASE_CACHE_H

#include "encoderd/zarr/chunk/chunk.h"

#include <stdbool.h>
#include <stdint.h>

/* How many rows an entry has. */
#define PHASE_ROWS 64

/* Rows [first_row, first_row + PHASE_ROWS) of a chunk, as far as they are in the given block. */
struct phase_key {
    uint64_t vchunk, schunk, block, first_row;
};
struct phase_rows {
    /* PHASE_ bits of each; 0: none of the row's selected calls is in the block */
    uint8_t seen[PHASE_ROWS];
};

struct phase_cache;

struct phase_cache *phase_cache_new(struct err *err);
void phase_cache_free(struct phase_cache *cache);

bool phase_cache_get(struct phase_cache *cache, const struct phase_key *key,
                     struct phase_rows *out);

/* Replaces the entry that was in its slot. */
void phase_cache_put(struct phase_cache *cache, const struct phase_key *key,
                     const struct phase_rows *rows);

/* The rows of a block, found by its place in a chunk and by its stored bytes. All chunks of a view
 * are cut alike, so that equal bytes in the same place give the same bits. */
#define PHASE_BLOCK_ROWS 128
struct phase_block {
    uint64_t schunk, begin; /* its first byte in the decoded chunk */
    struct stored_block as;
    /* of each row, beginning with the row of the block's first byte */
    uint8_t seen[PHASE_BLOCK_ROWS];
};

/* Fills in `seen` and returns true if a block in the same place, stored in the same bytes, was
 * put. */
bool phase_cache_get_block(struct phase_cache *cache, struct phase_block *block);
void phase_cache_put_block(struct phase_cache *cache, const struct phase_block *block);

#endif
