/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tallies: how often the ALT alleles occur: as the store says (variant_AC, or variant_AF), held
 * against the genotypes.
 *
 * One thread's.
 */
#ifndef VCZFS_VCZ_TALLIES_H
#define VCZFS_VCZ_TALLIES_H

#include "encoderd/vcz/vcz.h"

struct tallies;

/* *out is NULL where the store says nothing of it that can be read. The caller owns *out. */
int tallies_open(const struct vcz *vcz, size_t scratch_max, struct tallies **out, struct err *err);
void tallies_free(struct tallies *tallies);

/* Gives back what it decoded in. */
void tallies_trim(struct tallies *tallies);

/* Of variants [begin, begin + n): what the store says of all their ALTs together; 0 where it says
 * nothing. More is more within one store. */
int tallies_stored(struct tallies *tallies, uint64_t begin, uint64_t n, double *out,
                   struct err *err);

enum tally {
    TALLY_AGREES, /* also where the store says nothing */
    TALLY_LESS,   /* an allele occurs less often, or more often, in the store's words than in the
                     genotypes */
    TALLY_MORE,
};

/* Counts the alleles in all samples' calls of the variant. With `an`, the store's number of called
 * alleles (variant_AN) must be there and agree too, else it is TALLY_LESS. */
int tallies_compare(struct tallies *tallies, uint64_t variant, bool an, enum tally *out,
                    struct err *err);

#endif
