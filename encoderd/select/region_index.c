/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/region_index.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/vcz/region_rows.h"

#include <stdlib.h>

static void mark(const int64_t *rows, uint64_t nrows, const struct regions *regions,
                 const struct regions *targets, uint8_t *wanted)
{
    for (uint64_t i = 0; i < nrows; i++) {
        const int64_t *row = rows + i * INDEX_WIDTH;
        uint64_t contig = (uint64_t)row[INDEX_CONTIG];

        if ((regions == NULL ||
             regions_meet(regions, contig, row[INDEX_FIRST], row[INDEX_MAX_END])) &&
            (targets == NULL || regions_meet(targets, contig, row[INDEX_FIRST], row[INDEX_LAST])))
            wanted[row[INDEX_CHUNK]] = 1;
    }
}

int region_index_open(const struct vcz *vcz, const struct regions *regions,
                      const struct regions *targets, size_t scratch_max, struct region_index *out,
                      struct err *err)
{
    CLEANUP(region_rows_free) struct region_rows rows = {0};

    *out = (struct region_index){.chunk = vcz->position->meta.chunk[0]};
    if (regions == NULL && targets == NULL)
        return 0;
    if (region_rows_open(vcz, scratch_max, &rows, err) != 0)
        return -1;
    if (rows.rows == NULL)
        return 0;
    out->wanted = calloc(vcz->position->meta.nchunks[0] + 1, 1);
    if (out->wanted == NULL)
        return err_nomem(err, "the region index");
    mark(rows.rows, rows.n, regions, targets, out->wanted);
    return 0;
}

void region_index_free(struct region_index *index)
{
    free(index->wanted);
    *index = (struct region_index){0};
}

uint64_t region_index_next(const struct region_index *index, uint64_t variant, uint64_t end)
{
    if (index->wanted == NULL)
        return variant;
    while (variant < end && !index->wanted[variant / index->chunk])
        variant = (variant / index->chunk + 1) * index->chunk;
    return size_min(variant, end);
}
