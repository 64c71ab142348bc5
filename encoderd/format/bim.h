/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bim: the .bim, a line for each variant that a view shows.
 *
 * doc/FORMATS.md, "Out: PLINK 1".
 */
#ifndef VCZFS_FORMAT_BIM_H
#define VCZFS_FORMAT_BIM_H

#include "encoderd/format/format.h"

/* Looks at every site of the selection, which must have two alleles at most, and with *fd not NULL
 * writes the lines to a sealed memfd: *fd is the caller's. nautosomes as for chromosome_of. */
int bim_make(const struct selection *selection, const struct pass_means *means, unsigned nautosomes,
             int *fd, uint64_t *size, struct err *err);

#endif
