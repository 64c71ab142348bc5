/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey: what can be known of a view's variants without their calls: order, positions and names,
 * from one pass.
 *
 * Most of the rules for programs (encoderd/report/consumers.h) look at this.
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

/* The number of variants with some property, and where the first of them lies ("chr1:500"). */
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
    /* Variants with the ID of an earlier variant. If not all IDs were compared: with the ID of the
     * variant right before. */
    uint64_t nsame_id;
    bool all_compared;
    uint64_t *contig_nrows; /* owned; one for each contig of the store */
};

/* Zero-initialise before; survey_clear at the end, also if this failed. */
int survey_make(const struct selection *selection, const struct pass_means *means,
                struct survey *out, struct err *err);
void survey_clear(struct survey *survey);

#endif
