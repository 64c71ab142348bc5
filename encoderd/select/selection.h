/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selection: which samples and variants of a store a view shows.
 */
#ifndef VCZFS_SELECT_SELECTION_H
#define VCZFS_SELECT_SELECTION_H

#include "common/notices.h"
#include "encoderd/select/row_map.h"
#include "encoderd/vcz/vcz.h"

struct selection {
    const struct vcz *vcz; /* borrowed */
    /* Samples in output order. */
    uint64_t nsamples;
    const uint64_t *sample_column; /* column in call_genotype of output sample i */
    const struct str *sample_id;   /* the text is vcz's */
    /* The arrays that sample_column and sample_id point to if samples were chosen; else they are
     * vcz's. */
    uint64_t *own_column; /* owned */
    struct str *own_id;   /* owned */
    /* Output sample i is column first_column + i for every i, so that no gather is needed. */
    bool contiguous;
    uint64_t first_column;
    bool store_order; /* sample_column ascends */
    /* Columns in ascending order, and the output sample of each. NULL if contiguous; owned. */
    uint64_t *sorted_column, *sorted_sample;
    struct row_map rows;
    struct notices
        notices; /* for the user: unknown samples that were left out, no variant left, ... */
};

void selection_close(struct selection *selection);

/* Saves what an encoder needs to open the selection again, in a sealed memfd. *fd is -1 if that is
 * nothing: all samples and variants are shown. */
int selection_save(const struct selection *selection, int *fd, struct err *err);

#endif
