/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_genotype: the part of a target that comes from one genotype chunk.
 */
#ifndef VCZFS_ENCODE_ENCODE_GENOTYPE_H
#define VCZFS_ENCODE_ENCODE_GENOTYPE_H

#include "encoderd/encode/encode_grid.h"
#include "encoderd/encode/encode_worker.h"

/* A CELL_GENOTYPE. */
int encode_genotype_cell(const struct format_view *format, const struct encode_target *target,
                         const struct encode_cell *cell, struct encode_worker *worker,
                         struct err *err);

/* Finds what the cell will read: see encode_need. */
struct cell_need;
enum need encode_genotype_need(const struct format_view *format, const struct encode_target *target,
                               const struct encode_cell *cell, struct encode_worker *worker,
                               struct cell_need *need, struct err *err);

#endif
