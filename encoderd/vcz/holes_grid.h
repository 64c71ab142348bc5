/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holes_grid: which genotype chunks are stored.
 */
#ifndef VCZFS_VCZ_HOLES_GRID_H
#define VCZFS_VCZ_HOLES_GRID_H

#include "encoderd/vcz/vcz.h"
#include "encoderd/zarr/chunk/chunk_table.h"

/* Chunks of a row of chunks; or of one place in the grid of variants and samples, which has several
 * if the ploidy axis is chunked. */
struct hole_cell {
    unsigned nstored, nabsent;
};

/* Of row v of the chunks. */
int holes_look_row(const struct vcz *vcz, struct chunk_table *table, uint64_t v,
                   struct hole_cell *row, struct err *err);

/* Sets *stored if any chunk of these samples is stored. *left: how many names may still be looked
 * up; at 0, *stored is set without looking. */
int holes_look_column(const struct vcz *vcz, uint64_t s, uint64_t *left, bool *stored,
                      struct err *err);

/* Words for calls that are the fill value. */
const char *holes_fill_text(const struct zarr_meta *meta);

#endif
