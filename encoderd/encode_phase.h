/*
 * encode_phase: which rows of a target are phased.
 */
#ifndef VCZFS_ENCODERD_ENCODE_PHASE_H
#define VCZFS_ENCODERD_ENCODE_PHASE_H

#include "encoderd/encode.h"

/* A CELL_PHASED: sets target->unphased for every row in which a selected sample of the cell's chunk of
 * call_genotype_phased is not phased. */
int encode_phased_cell(const struct format_view *format, const struct encode_target *target,
                       const struct encode_cell *cell, struct decoder *decoder, struct err *err);

#endif
