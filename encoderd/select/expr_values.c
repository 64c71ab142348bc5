/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_values.h"

#include "common/size.h"
#include "encoderd/vcz/holes.h"

#include <stdlib.h>

/* The evaluator's buffers hold this many variants, as choose.c's batches do. */
#define BATCH_MAX UINT64_C(4096)

static void *new_array(uint64_t n, uint64_t m, size_t size)
{
    uint64_t count;

    return size_mul(n, m, &count) && count < SIZE_MAX / size / 2 ? calloc(count + 1, size) : NULL;
}

static int make_room(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    struct values *values = eval_values(eval, bound);
    const uint64_t cells = bound_cells(eval->expr, bound), max = eval->max;
    bool ok = true;

    switch (bound->type) {
    case TYPE_IS_NUMBER:
        values->numbers = new_array(max, cells * bound->width, sizeof *values->numbers);
        ok = values->numbers != NULL;
        break;
    case TYPE_IS_STRING:
        values->strings = new_array(max, cells * bound->width, sizeof *values->strings);
        ok = values->strings != NULL;
        break;
    case TYPE_IS_TRUTH:
        values->site = new_array(max, 1, 1);
        values->samples = bound->per_sample ? new_array(max, cells, 1) : NULL;
        ok = values->site != NULL && (!bound->per_sample || values->samples != NULL);
        break;
    }
    return ok ? 0 : err_nomem(err, "an expression");
}

static int open_array(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    struct values *values = eval_values(eval, bound);
    struct batch *batch = eval->batch;
    const uint64_t cells = bound->per_sample ? bound->nread : 1;
    const size_t size = bound->type == TYPE_IS_STRING ? sizeof(struct str) : sizeof(double);

    values->column = column_new(bound->array, bound->read_samples, bound->nread, batch->decoder,
                                batch->budget, err);
    if (values->column == NULL)
        return -1;
    values->scratch = new_array(eval->max, cells * bound->array_width, size);
    return values->scratch != NULL ? 0 : err_nomem(err, "an expression");
}

/* Each thread compiles the pattern for itself, because glibc locks a pattern while it matches. */
static int compile_pattern(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const struct bound *constant = bound->args[1];
    struct values *values = eval_values(eval, bound);

    if (bound->type != TYPE_IS_TRUTH || bound->kind == BOUND_COMPARE_FILTER ||
        bound->kind == BOUND_COMPARE_TYPE ||
        (bound->node->op != EXPR_LIKE && bound->node->op != EXPR_NOT_LIKE))
        return 0;
    values->pattern = calloc(1, sizeof *values->pattern);
    if (values->pattern == NULL ||
        regcomp(&values->pattern->regex, constant->text,
                REG_NOSUB | (constant->ignore_case ? REG_ICASE : 0)) != 0) {
        free(values->pattern);
        values->pattern = NULL;
        return err_nomem(err, "a regular expression");
    }
    return 0;
}

static int open_genotypes(struct expr_eval *eval, struct err *err)
{
    const struct expr_context *context = &eval->expr->context;
    const struct vcz *vcz = context->vcz;
    struct batch *batch = eval->batch;
    const uint64_t max = eval->max;

    if (eval->expr->needs_genotype) {
        eval->genotype = column_new(vcz->genotype, context->sample_column, context->nsamples,
                                    batch->decoder, batch->budget, err);
        if (eval->genotype == NULL)
            return -1;
        column_on_absent(eval->genotype, holes_judge_calls, vcz->holes);
        eval->alleles = new_array(max, context->nsamples * vcz->ploidy, sizeof *eval->alleles);
    }
    if (eval->expr->needs_phase && vcz->phased != NULL) {
        eval->phased = column_new(vcz->phased, context->sample_column, context->nsamples,
                                  batch->decoder, batch->budget, err);
        if (eval->phased == NULL)
            return -1;
    }
    eval->phases =
        eval->expr->needs_phase ? new_array(max, context->nsamples, sizeof *eval->phases) : NULL;
    eval->an = new_array(max, 1, sizeof *eval->an);
    eval->nmissing = new_array(max, 1, sizeof *eval->nmissing);
    eval->ns = new_array(max, 1, sizeof *eval->ns);
    eval->ac = new_array(max, batch_allele_slots(batch), sizeof *eval->ac);
    if ((eval->genotype != NULL && eval->alleles == NULL) ||
        (eval->expr->needs_phase && eval->phases == NULL) || eval->an == NULL ||
        eval->nmissing == NULL || eval->ns == NULL || eval->ac == NULL)
        return err_nomem(err, "an expression");
    return 0;
}

static int open_one(struct expr_eval *eval, const struct zarr_array *array, size_t size,
                    struct column **column, void *buffer, struct err *err)
{
    void **out = buffer;

    if (array == NULL)
        return 0;
    *column = column_new(array, NULL, 0, eval->batch->decoder, eval->batch->budget, err);
    if (*column == NULL)
        return -1;
    *out = new_array(eval->max, column_array_width(array, false), size);
    return *out != NULL ? 0 : err_nomem(err, "an expression");
}

static int open_all(struct expr_eval *eval, struct err *err)
{
    const struct expr *expr = eval->expr;

    for (const struct bound *bound = expr->nodes; bound != NULL; bound = bound->next)
        if (make_room(eval, bound, err) != 0 || compile_pattern(eval, bound, err) != 0 ||
            (bound->array != NULL && open_array(eval, bound, err) != 0))
            return -1;
    if (open_one(eval, expr->ac, sizeof(double), &eval->stored_ac, &eval->stored_acs, err) != 0 ||
        open_one(eval, expr->an, sizeof(double), &eval->stored_an, &eval->stored_ans, err) != 0 ||
        open_one(eval, expr->filter, sizeof(int64_t), &eval->filter, &eval->filters, err) != 0)
        return -1;
    return open_genotypes(eval, err);
}

struct expr_eval *expr_eval_new(const struct expr *expr, struct batch *batch, struct err *err)
{
    struct expr_eval *eval = calloc(1, sizeof *eval);

    if (eval == NULL) {
        err_nomem(err, "an expression");
        return NULL;
    }
    eval->expr = expr;
    eval->batch = batch;
    eval->max = size_min(BATCH_MAX, expr_batch_max(expr));
    eval->values = calloc(expr->nslots + 1, sizeof *eval->values);
    if (eval->values == NULL)
        err_nomem(err, "an expression");
    else if (open_all(eval, err) == 0)
        return eval;
    expr_eval_free(eval);
    return NULL;
}

static void values_free(struct values *values)
{
    column_free(values->column);
    free(values->numbers);
    free(values->strings);
    free(values->site);
    free(values->samples);
    free(values->scratch);
    free(values->gt_match);
    if (values->pattern != NULL) {
        regfree(&values->pattern->regex);
        buf_free(&values->pattern->text);
    }
    free(values->pattern);
}

void expr_eval_free(struct expr_eval *eval)
{
    if (eval == NULL)
        return;
    for (unsigned i = 0; eval->values != NULL && i < eval->expr->nslots; i++)
        values_free(&eval->values[i]);
    free(eval->values);
    column_free(eval->genotype);
    column_free(eval->phased);
    column_free(eval->stored_ac);
    column_free(eval->stored_an);
    column_free(eval->filter);
    free(eval->alleles);
    free(eval->phases);
    free(eval->an);
    free(eval->ac);
    free(eval->nmissing);
    free(eval->ns);
    free(eval->stored_acs);
    free(eval->stored_ans);
    free(eval->filters);
    free(eval);
}
