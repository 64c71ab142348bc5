/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_counts: compares the store's AC, AN and NS with its genotypes.
 *
 * A difference alone is no problem: in many stores these are counts of a VCF with more samples. But
 * if they agree wherever all chunks are stored, and differ where one is not, that chunk was lost.
 */
#ifndef VCZFS_CHECK_CHECK_COUNTS_H
#define VCZFS_CHECK_CHECK_COUNTS_H

#include "encoderd/check/check_problems.h"
#include "encoderd/vcz/vcz.h"

/* The counts of a chunk of genotypes, or of a row of chunks; see counts_new. */
struct call_counts {
    uint64_t nrows;
    /* owned; nrows × (width + 2): the count of each ALT, alleles called, samples called */
    uint32_t *values;
    unsigned nstored, nabsent; /* chunks */
};

/* *out is NULL if nothing is counted: the store has no such arrays, or its chunks do not suit. May
 * only be used by one thread, except where a function says otherwise. */
struct counts;
int counts_new(const struct vcz *vcz, size_t scratch_max, struct counts **out, struct err *err);
void counts_free(struct counts *counts);

/* Allocates zeroed counts for a chunk; any thread. False if out of memory. */
bool counts_begin(const struct counts *counts, struct call_counts *out);

/* Counts one allele of the call at this row and column of the chunk at `index`. `first`: it is the
 * call's first allele. Any thread. */
struct call_walk {
    uint64_t row, column; /* of the chunk */
    int64_t allele;
    bool first;
    bool *has_data; /* the call's; kept between its alleles */
};
void counts_add(const struct counts *counts, const uint64_t *index, const struct call_walk *at,
                struct call_counts *to);

/* Counts the same allele for all calls of a chunk that is not stored. Any thread. */
void counts_add_absent(const struct counts *counts, const uint64_t *index, int64_t allele,
                       struct call_counts *to);

/* Takes the chunk's counts, in C order of chunks; when a row of chunks is complete, compares it. */
int counts_take(struct counts *counts, const uint64_t *index, struct call_counts *chunk,
                struct err *err);

/* Some genotypes cannot be read: from now on nothing is compared. */
void counts_stop(struct counts *counts);

/* Reports the differences at the end. If `fill`, none of them is a problem. */
void counts_report(const struct counts *counts, bool fill, struct problems *problems,
                   struct problems *remarks);

#endif
