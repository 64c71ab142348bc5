/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey: what can be known of the variants of a view without their calls: order, places and names,
 * in one pass.
 *
 * What programs mind about a store (encoderd/report/consumers.h) is mostly here.
 */
#ifndef VCZFS_REPORT_SURVEY_H
#define VCZFS_REPORT_SURVEY_H

#include "encoderd/select/pass.h"
#include "encoderd/select/selection.h"

/* Consecutive rows on one contig. */
struct survey_run {
    uint64_t contig; /* into vcz->contigs */
    uint64_t row;    /* the first one */
    uint64_t nrows;
    int64_t least; /* of its positions */
};

/* Variants of which something holds, and where the first of them lies ("chr1:500"). */
#define SURVEY_PLACE_MAX 224
struct survey_count {
    uint64_t n;
    char first[SURVEY_PLACE_MAX];
};

struct survey {
    struct survey_run *runs; /* owned; in the order of rows */
    size_t nruns;
    int64_t first_position; /* of the first row, if there is one */
    struct survey_count
        unsorted;            /* at a lower position than the variant before, on the same contig */
    struct survey_count far; /* at a position above 2^31 − 2 */
    uint64_t nunnamed;       /* without an ID */
    /* With the ID of an earlier variant; of one right before it only, where not all were
     * compared. */
    uint64_t nsame_id;
    bool all_compared;
    uint64_t *contig_nrows; /* owned; one for each contig of the store */
};

/* Zero-initialise; survey_clear at the end, also if it failed. */
int survey_make(const struct selection *selection, const struct pass_means *means,
                struct survey *out, struct err *err);
void survey_clear(struct survey *survey);

#endif
