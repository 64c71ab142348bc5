/*
 * selection: what a view shows of a store: samples and variants.
 */
#ifndef VCZFS_SELECT_SELECTION_H
#define VCZFS_SELECT_SELECTION_H

#include "encoderd/select/rows.h"
#include "encoderd/vcz/vcz.h"

/* What the user asked for; strings are borrowed. Grows with the options of `vczfs mount-*`. */
struct selection_options {
    uint64_t min_alleles, max_alleles; /* 0: no limit */
};

struct selection {
    const struct vcz *vcz; /* borrowed */
    /* Samples in output order. */
    uint64_t nsamples;
    const uint64_t *sample_column; /* column in call_genotype of output sample i */
    const struct str *sample_id;
    /* Output sample i is column first_column + i for every i: no gather is needed. */
    bool contiguous;
    uint64_t first_column;
    struct rows rows;
};

#endif
