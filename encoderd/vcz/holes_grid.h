/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holes_grid: which genotype chunks are stored.
 */
#ifndef VCZFS_VCZ_HOLES_GRID_H
#define VCZFS_VCZ_HOLES_GRID_H

#include "encoderd/vcz/vcz.h"
#include "encoderd/zarr/chunk/chunk_table.h"

/* Of a row of chunks, or one place in the grid of variants and samples, whose ploidy axis may be
 * chunked. */
struct hole_cell {
    unsigned nstored, nabsent;
};

/* Of row v of the chunks. */
int holes_look_row(const struct vcz *vcz, struct chunk_table *table, uint64_t v,
                   struct hole_cell *row, struct err *err);

/* Is any chunk of these samples stored? *left is how many names may still be looked at; when they
 * are spent, it is taken for granted. */
int holes_look_column(const struct vcz *vcz, uint64_t s, uint64_t *left, bool *stored,
                      struct err *err);

/* What calls of the fill value are, in words. */
const char *holes_fill_text(const struct zarr_meta *meta);

#endif
