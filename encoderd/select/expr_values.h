/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_values: one thread's evaluation of an expression, and where the values of its nodes are.
 */
#ifndef VCZFS_SELECT_EXPR_VALUES_H
#define VCZFS_SELECT_EXPR_VALUES_H

#include "common/buf.h"
#include "encoderd/select/expr_bound.h"

/* A compiled pattern, and a buffer in which texts are terminated, because regexec needs that. */
struct pattern {
    regex_t regex;
    struct buf text;
};

/* The values of a node: see expr_bound.h. Each buffer is owned by the evaluator. */
struct values {
    double *numbers;
    struct str *strings;
    uint8_t *site;
    uint8_t *samples;
    struct column *column;   /* BOUND_ARRAY */
    void *scratch;           /* values as read, before they are put in their samples' places */
    struct pattern *pattern; /* of a comparison by ~ or !~ */
    uint8_t *gt_match;       /* BOUND_COMPARE_GT: remembered results */
    bool is_constant_made;
};

struct expr_eval {
    const struct expr *expr;
    struct batch *batch;   /* borrowed */
    struct values *values; /* per slot */
    uint64_t max;          /* variants a batch */

    /* Genotypes of the batch, read once for all nodes that use them. */
    struct column *genotype, *phased;
    int64_t *alleles, *phases;
    bool have_genotype, have_phase, have_counts;
    /* Per variant: AN, AC of each ALT slot, calls with a missing allele, samples with data. */
    int64_t *an, *ac, *nmissing, *ns;
    struct column *stored_ac, *stored_an, *filter;
    double *stored_acs, *stored_ans;
    int64_t *filters;
};

static inline struct values *eval_values(const struct expr_eval *eval, const struct bound *bound)
{
    return &eval->values[bound->slot];
}

static inline bool number_is_missing(double value)
{
    uint64_t bits = column_bits(value);

    return bits == COLUMN_MISSING_BITS || bits == COLUMN_FILL_BITS;
}

static inline bool number_is_fill(double value)
{
    return column_bits(value) == COLUMN_FILL_BITS;
}

static inline double number_missing(void)
{
    return column_from_bits(COLUMN_MISSING_BITS);
}

static inline double number_fill(void)
{
    return column_from_bits(COLUMN_FILL_BITS);
}

/* Cells of a node: samples, or 1. */
static inline uint64_t bound_cells(const struct expr *expr, const struct bound *bound)
{
    return bound->per_sample ? expr->context.nsamples : 1;
}

#endif
