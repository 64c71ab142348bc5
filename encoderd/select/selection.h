/*
 * selection: what a view shows of a store: samples and variants.
 */
#ifndef VCZFS_SELECT_SELECTION_H
#define VCZFS_SELECT_SELECTION_H

#include "encoderd/select/pass.h"
#include "encoderd/select/rows.h"
#include "encoderd/vcz/vcz.h"

/* What the user asked for; strings are borrowed. Grows with the options of `vczfs mount-*`. */
struct selection_options {
    uint64_t min_alleles, max_alleles; /* listed alleles, REF counted; 0: no limit */
};

struct selection {
    const struct vcz *vcz; /* borrowed */
    /* Samples in output order. */
    uint64_t nsamples;
    const uint64_t
        *sample_column;          /* column in call_genotype of output sample i; borrowed from vcz */
    const struct str *sample_id; /* borrowed from vcz */
    /* Output sample i is column first_column + i for every i: no gather is needed. */
    bool contiguous;
    uint64_t first_column;
    /* Where it is not: the columns in ascending order, for walking chunks. Column sorted_column[i] is
     * shown as output sample sorted_sample[i], or as sample i where that is NULL (store order). */
    const uint64_t *sorted_column;
    const uint64_t *sorted_sample;
    struct rows rows;
};

/* Makes the selection; a pass over the alleles only if an option needs one. rows_fd >= 0: the rows of
 * an earlier, equal selection (rows_save), instead of any pass; resume without rows_fd: all rows. */
int selection_open(const struct vcz *vcz, const struct selection_options *options,
                   const struct pass_means *means, bool resume, int rows_fd, struct selection *out,
                   struct err *err);
void selection_close(struct selection *selection);

#endif
