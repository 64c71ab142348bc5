/* SPDX-License-Identifier: Apache-2.0 */
/*
 * misread: names that a program which reads the files would take for something else.
 *
 * Each rule is one that was seen to hold of a program, or stands in its source: doc/NAMES.md has
 * the table, and who does what. A name that a rule speaks of is not shown in that place.
 */
#ifndef VCZFS_FORMAT_MISREAD_H
#define VCZFS_FORMAT_MISREAD_H

#include "encoderd/zarr/chunk/chunk.h"

/* What a name is, and where it stands. */
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

/* Why `text`, which is UTF-8, cannot stand there: "begins with '#': ...", said of it; NULL if it
 * can. */
const char *misread_why(enum misread_place place, const struct str *text);

/* Do REGENIE and BOLT-LMM take this contig for a chromosome that it is not? "1_KI270706v1_random"
 * is 1 to them. */
bool misread_as_number(const struct str *contig);

#endif
