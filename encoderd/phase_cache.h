/*
 * phase_cache: what is phased in which rows of blocks of call_genotype_phased, once it is known.
 *
 * A block of that array is long and says little, spans are shorter than it, and each would have to decode
 * it again. Of one view; shared by all threads. Fixed in size.
 */
#ifndef VCZFS_ENCODERD_PHASE_CACHE_H
#define VCZFS_ENCODERD_PHASE_CACHE_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Rows whose flags are kept together. */
#define PHASE_ROWS 64

/* Rows [first_row, first_row + PHASE_ROWS) of a chunk, as far as they lie in one of its blocks. */
struct phase_key {
    uint64_t vchunk, schunk, block, first_row;
};
struct phase_rows {
    uint8_t seen
        [PHASE_ROWS]; /* PHASE_ bits of each; 0: none of the row's selected calls is in the block */
};

struct phase_cache;

struct phase_cache *phase_cache_new(struct err *err);
void phase_cache_free(struct phase_cache *cache);

bool phase_cache_get(struct phase_cache *cache, const struct phase_key *key,
                     struct phase_rows *out);

/* Whatever was in its place is forgotten. */
void phase_cache_put(struct phase_cache *cache, const struct phase_key *key,
                     const struct phase_rows *rows);

#endif
