/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tallies: compares how often the ALT alleles occur in the store's own counts (variant_AC, or
 * variant_AF) and in its genotypes.
 *
 * Belongs to one thread.
 */
#ifndef VCZFS_VCZ_TALLIES_H
#define VCZFS_VCZ_TALLIES_H

#include "encoderd/vcz/vcz.h"

struct tallies;

/* *out is NULL if the store has no such counts that can be read. The caller owns *out. */
int tallies_open(const struct vcz *vcz, size_t scratch_max, struct tallies **out, struct err *err);
void tallies_free(struct tallies *tallies);

/* Frees the memory that it decoded in. */
void tallies_trim(struct tallies *tallies);

/* For each of the variants [begin, begin + n): a measure of how many ALT alleles the store counts;
 * 0 if it has no counts. Values of one store can be compared with each other. */
int tallies_stored(struct tallies *tallies, uint64_t begin, uint64_t n, double *out,
                   struct err *err);

enum tally {
    TALLY_AGREES, /* also if the store has no counts */
    /* the store counts an allele less often (TALLY_LESS) or more often (TALLY_MORE) than its
     * genotypes */
    TALLY_LESS,
    TALLY_MORE,
};

/* Counts the alleles in all samples' calls of the variant. With `an`, the store must also have the
 * number of called alleles (variant_AN), and it must agree; else the result is TALLY_LESS. */
int tallies_compare(struct tallies *tallies, uint64_t variant, bool an, enum tally *out,
                    struct err *err);

#endif
