/* SPDX-License-Identifier: Apache-2.0 */
/*
 * misread: names that a program which reads the files would misread.
 *
 * Each rule was seen in a run of a program, or follows from its source: doc/NAMES.md has the table,
 * and which program does what. A name to which a rule applies is not shown in that place.
 */
#ifndef VCZFS_FORMAT_MISREAD_H
#define VCZFS_FORMAT_MISREAD_H

#include "encoderd/zarr/chunk/chunk.h"

/* The kind of a name, and its place. */
enum misread_place {
    IN_FAM_SAMPLE,      /* the first column, and the second */
    IN_FAM_SAMPLE_ONLY, /* the second column, behind an FID of 0 */
    IN_SAMPLE_FILE,
    IN_BGEN_SAMPLE,
    IN_BIM_CONTIG,
    IN_BIM_ID,
    IN_BIM_ALLELE,
    IN_BGEN_CONTIG,
    IN_BGEN_ID,
    IN_BGEN_ALLELE,
};

/* Why `text`, which is UTF-8, cannot be in this place: "begins with '#': ...", a sentence without
 * its subject; NULL if it can. */
const char *misread_why(enum misread_place place, const struct str *text);

/* True if REGENIE and BOLT-LMM mistake this contig for a chromosome: to them "1_KI270706v1_random"
 * is chromosome 1. */
bool misread_as_number(const struct str *contig);

#endif
