/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selection: what a view shows of a store: samples and variants.
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
    /* What those two point to where samples were chosen; else it is vcz's. */
    uint64_t *own_column; /* owned */
    struct str *own_id;   /* owned */
    /* Output sample i is column first_column + i for every i: no gather is needed. */
    bool contiguous;
    uint64_t first_column;
    bool store_order; /* sample_column ascends */
    /* Columns in ascending order, and which output sample each is. NULL when contiguous; owned. */
    uint64_t *sorted_column, *sorted_sample;
    struct row_map rows;
    struct notices
        notices; /* for the user: unknown samples that were left out, no variant left, ... */
};

void selection_close(struct selection *selection);

/* What resuming needs, in a sealed memfd; *fd is -1 if that is nothing: all samples and
 * variants. */
int selection_save(const struct selection *selection, int *fd, struct err *err);

#endif
