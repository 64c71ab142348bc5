/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_phase: which rows of a target are phased.
 */
#ifndef VCZFS_ENCODE_ENCODE_PHASE_H
#define VCZFS_ENCODE_ENCODE_PHASE_H

#include "encoderd/encode/encode_grid.h"
#include "encoderd/encode/encode_worker.h"

/* Runs a CELL_PHASED: notes for every row, in its phase_seen, whether the selected samples of the
 * cell's chunk of call_genotype_phased are phased, are not phased, or both. */
int encode_phased_cell(const struct format_view *format, const struct encode_target *target,
                       const struct encode_cell *cell, struct encode_worker *worker,
                       struct err *err);

/* Finds what the cell will read: see encode_need. */
struct cell_need;
enum need encode_phased_need(const struct format_view *format, const struct encode_target *target,
                             const struct encode_cell *cell, struct encode_worker *worker,
                             struct cell_need *need, struct err *err);

#endif
