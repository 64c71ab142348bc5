/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bim: the .bim, with a line for each variant of a view.
 *
 * doc/FORMATS.md, "Out: PLINK 1".
 */
#ifndef VCZFS_FORMAT_BIM_H
#define VCZFS_FORMAT_BIM_H

#include "encoderd/format/format.h"

/* Checks every site of the selection, which must have at most two alleles. If fd is not NULL,
 * writes the lines to a sealed memfd *fd, which the caller owns. nautosomes as for
 * chromosome_of. */
int bim_make(const struct selection *selection, const struct pass_means *means, unsigned nautosomes,
             int *fd, uint64_t *size, struct err *err);

#endif
