/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chromosome: what PLINK calls a contig in a .bim.
 *
 * plink2 knows chromosomes by numbers. It reads several names of each, and writes one of them.
 * doc/FORMATS.md, "Out: PLINK 1".
 */
#ifndef VCZFS_FORMAT_CHROMOSOME_H
#define VCZFS_FORMAT_CHROMOSOME_H

#include "encoderd/zarr/chunk/chunk.h"

#define CHROMOSOME_AUTOSOMES_MAX 95                             /* plink2's */
#define CHROMOSOME_CODES         (CHROMOSOME_AUTOSOMES_MAX + 5) /* with X, Y, XY, MT and 0 */

struct chromosome {
    int code;        /* below CHROMOSOME_CODES; −1: a contig that is no chromosome */
    struct str text; /* static, or the contig's own name */
};

/* As `plink2 --vcf --make-bed` does; nautosomes as for its --chr-set, 0 for humans. False if the
 * name is a chromosome's number or name, but not one of that species: plink2 refuses it. */
bool chromosome_of(const struct str *contig, unsigned nautosomes, struct chromosome *out);

#endif
