/*
 * kept: genotypes of blocks that were decoded for a random reader, in case the next one wants others of them.
 *
 * A block holds dozens of rows, and a random reader takes part of one. What comes back to the same places (a region,
 * a list of variants, several jobs with the same list) finds there what decoding would cost a hundred times as much
 * to make again. A block is kept when it has been decoded for the second time, so that readers who never come back
 * cost next to nothing; and only if plane 0 says all of it, an eighth of its size: two-allele calls none of which is
 * missing. Memory is bounded, mmapped, and used in a ring: the oldest goes. Thread-safe throughout.
 */
#ifndef VCZFS_ZARR_KEPT_H
#define VCZFS_ZARR_KEPT_H

#include "common/err.h"
#include "encoderd/zarr/array.h"
#include "encoderd/zarr/planes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kept;

/* Which block it is. All of it counts, so zero-initialise. */
struct kept_key {
    const struct store *store;
    uint8_t identity[32]; /* of the array */
    uint64_t index[ZARR_DIMS_MAX];
    uint64_t block;
};

/* budget: bytes of planes. */
struct kept *kept_new(size_t budget, struct err *err);
void kept_free(struct kept *kept);

/* Forgets all, and gives the memory back to the system. */
void kept_trim(struct kept *kept);

/* The block's planes, PLANES_LOW of nbytes each, written to `to`; false if it is not there. */
bool kept_get(struct kept *kept, const struct kept_key *key, uint64_t nbytes, uint8_t *to);

/* Keeps a copy if the block was put before, not too long ago, unless the planes say more than plane 0 does. */
void kept_put(struct kept *kept, const struct kept_key *key, const struct planes *planes);

#endif
