/* SPDX-License-Identifier: Apache-2.0 */
/*
 * region_rows: the rows of a store's region_index: which contigs and positions each chunk has.
 */
#ifndef VCZFS_VCZ_REGION_ROWS_H
#define VCZFS_VCZ_REGION_ROWS_H

#include "encoderd/vcz/vcz.h"

/* The columns of a row: chunk of variant_position, contig, first and last position, greatest end,
 * number of variants. */
enum {
    INDEX_CHUNK,
    INDEX_CONTIG,
    INDEX_FIRST,
    INDEX_LAST,
    INDEX_MAX_END,
    INDEX_COUNT,
    INDEX_WIDTH
};

struct region_rows {
    int64_t
        *rows; /* n × INDEX_WIDTH, owned; NULL if there is no index, or it contradicts the store */
    uint64_t n;
};

/* The rows that are read cover all variants. Free them with region_rows_free. */
int region_rows_open(const struct vcz *vcz, size_t scratch_max, struct region_rows *out,
                     struct err *err);
void region_rows_free(struct region_rows *rows);

#endif
