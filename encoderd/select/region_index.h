/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region_index: which chunks of variants may hold variants that lie in given regions.
 *
 * A store's region_index lists, for every chunk of variants and each contig in it, the least and
 * the greatest position and the greatest end. It only saves work: an index that is absent or
 * contradicts the store is not used.
 */
#ifndef VCZFS_SELECT_REGION_INDEX_H
#define VCZFS_SELECT_REGION_INDEX_H

#include "encoderd/select/regions.h"

struct region_index {
    uint64_t chunk;  /* variants in a chunk */
    uint8_t *wanted; /* owned; per chunk; NULL: any chunk may have wanted variants */
};

/* regions: variants that overlap them; targets: variants that begin in them; either may be NULL. */
int region_index_open(const struct vcz *vcz, const struct regions *regions,
                      const struct regions *targets, size_t scratch_max, struct region_index *out,
                      struct err *err);
void region_index_free(struct region_index *index);

/* The first variant in [variant, end) that may be wanted, or `end`. */
uint64_t region_index_next(const struct region_index *index, uint64_t variant, uint64_t end);

#endif
