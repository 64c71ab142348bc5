/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr: bcftools' expressions over the columns of a store.
 *
 * An expression is parsed to a tree (expr_tree.h), bound to the arrays of a store, and evaluated
 * over batches of variants. A bound expression is immutable and shared; each thread has its own
 * evaluator.
 */
#ifndef VCZFS_SELECT_EXPR_H
#define VCZFS_SELECT_EXPR_H

#include "common/option_file.h"
#include "encoderd/select/batch.h"

/* What gives an expression its meaning. All borrowed until the expression is freed. */
struct expr_context {
    const struct vcz *vcz;
    const char *option; /* "--include": for messages */
    const struct option_file *files;
    size_t nfiles;      /* contents of every @file it names */
    size_t scratch_max; /* bytes, of a decoder */
    /* The selected samples, in output order. Sample subscripts are numbers into them, and AC, AN
     * and the other counts are made from them. */
    const uint64_t *sample_column;
    const struct str *sample_id;
    uint64_t nsamples;
    bool samples_chosen; /* by the user: the store's own counts may be of other samples */
};

struct expr;

/* ERR_USAGE says the column and what was expected. For a tag that the store lacks, it suggests a
 * tag with a similar name. */
int expr_open(const char *text, const struct expr_context *context, struct expr **out,
              struct err *err);
void expr_free(struct expr *expr);

uint64_t expr_stride(const struct expr *expr); /* see column_array_stride */

/* The only array of sites that is read for every variant. NULL if there are several, if calls are
 * read, or if nothing is. Borrowed from the expression or its store. */
const struct zarr_array *expr_only_array(const struct expr *expr);

uint64_t expr_batch_max(const struct expr *expr); /* variants that fit in a batch; >= 1 */

struct expr_eval;
struct expr_eval *expr_eval_new(const struct expr *expr, struct batch *batch, struct err *err);
void expr_eval_free(struct expr_eval *eval);

/* Where a batch that begins at `variant` must end, at most at `end`. */
uint64_t expr_eval_end(const struct expr_eval *eval, uint64_t variant, uint64_t end);

/* pass[i] is set to whether variant i of the batch satisfies the expression. */
int expr_eval_run(struct expr_eval *eval, uint8_t *pass, struct err *err);

#endif
