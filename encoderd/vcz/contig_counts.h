/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contig_counts: how many variants each contig has.
 */
#ifndef VCZFS_VCZ_CONTIG_COUNTS_H
#define VCZFS_VCZ_CONTIG_COUNTS_H

#include "encoderd/vcz/vcz.h"

/* counts has one element for each of the store's contigs, zero before. The cost depends on what is
 * stored, not on how many variants the store claims: variants that are not stored are counted
 * together. */
int contig_counts(const struct vcz *vcz, size_t scratch_max, uint64_t *counts, struct err *err);

#endif
