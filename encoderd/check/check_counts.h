/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_counts: the store's AC, AN and NS against what its genotypes give.
 *
 * That they differ is no fault: in many stores they are those of a VCF with more samples. But where
 * they agree wherever all chunks are stored, and do not where one is not, that chunk was lost.
 */
#ifndef VCZFS_CHECK_CHECK_COUNTS_H
#define VCZFS_CHECK_CHECK_COUNTS_H

#include "encoderd/check/check_problems.h"
#include "encoderd/vcz/vcz.h"

/* What is counted in a chunk of genotypes, or a row of chunks; see counts_new. */
struct call_counts {
    uint64_t nrows;
    uint32_t *values; /* owned; nrows × (width + 2): of each ALT, alleles called, samples called */
    unsigned nstored, nabsent; /* chunks */
};

/* NULL where nothing is counted: the store says nothing, or its chunks are not made for that. One
 * thread's, but for what counts_begin and counts_add say. */
struct counts;
int counts_new(const struct vcz *vcz, size_t scratch_max, struct counts **out, struct err *err);
void counts_free(struct counts *counts);

/* Room for a chunk, zeroed; any thread. False if out of memory. */
bool counts_begin(const struct counts *counts, struct call_counts *out);

/* One allele of the call at this row and column of the chunk at `index`, `first` if it is the
 * call's first; any thread. */
struct call_walk {
    uint64_t row, column; /* of the chunk */
    int64_t allele;
    bool first;
    bool *has_data; /* of the call: kept from one to the next */
};
void counts_add(const struct counts *counts, const uint64_t *index, const struct call_walk *at,
                struct call_counts *to);

/* The same for a chunk that is not stored. */
void counts_add_absent(const struct counts *counts, const uint64_t *index, int64_t allele,
                       struct call_counts *to);

/* Takes the counts of the chunk, in C order of chunks, and compares when a row of chunks is
 * complete. */
int counts_take(struct counts *counts, const uint64_t *index, struct call_counts *chunk,
                struct err *err);

/* Not all genotypes can be read: from now on nothing is compared. */
void counts_stop(struct counts *counts);

/* What was found, at the end. With `fill`, nothing of it is a problem. */
void counts_report(const struct counts *counts, bool fill, struct problems *problems,
                   struct problems *remarks);

#endif
