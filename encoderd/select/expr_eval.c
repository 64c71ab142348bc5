/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_eval: an expression over a batch of variants, node by node.
 */
#include "common/size.h"
#include "encoderd/select/expr_func.h"
#include "encoderd/select/expr_gt.h"
#include "encoderd/select/expr_load.h"
#include "encoderd/select/expr_match.h"
#include "encoderd/select/expr_numbers.h"

/* Computes the values of a node, its operands' first. */
static int eval_node(struct expr_eval *eval, const struct bound *bound, struct err *err);

uint64_t expr_eval_end(const struct expr_eval *eval, uint64_t variant, uint64_t end)
{
    const struct expr *expr = eval->expr;
    const struct vcz *vcz = expr->context.vcz;

    for (const struct bound *bound = expr->nodes; bound != NULL; bound = bound->next)
        if (bound->array != NULL && bound->type == TYPE_IS_STRING)
            end = size_min(end, column_chunk_end(eval->values[bound->slot].column, variant));
    if (expr->needs_id && vcz->id != NULL) {
        uint64_t chunk = vcz->id->meta.chunk[0];

        end = size_min(end, variant - variant % chunk + chunk);
    }
    return end;
}

static void eval_flag(struct expr_eval *eval, const struct bound *bound)
{
    const uint64_t cells = bound_cells(eval->expr, bound);
    const double *x = eval_values(eval, bound->args[0])->numbers;
    struct values *out = eval_values(eval, bound);

    for (uint64_t i = 0; i < eval->batch->n * cells; i++) {
        bool pass = !number_is_missing(x[i]) && x[i] != 0 && bound_uses(bound, i % cells);

        if (i % cells == 0)
            out->site[i / cells] = 0;
        out->site[i / cells] |= pass;
        if (bound->per_sample)
            out->samples[i] = pass;
    }
}

/* The results of one side's samples at one variant; NULL if that side has none. */
static const uint8_t *samples_at(struct expr_eval *eval, const struct bound *bound, uint64_t row)
{
    return bound->per_sample
               ? eval_values(eval, bound)->samples + row * eval->expr->context.nsamples
               : NULL;
}

/* bcftools' rules for which samples pass when two sides are joined; one side may have no samples.
 */
static uint8_t join_samples(enum expr_op op, const uint8_t *a, const uint8_t *b, bool all,
                            uint64_t s)
{
    if (all)
        return 1;
    if (a == NULL || b == NULL)
        return (a != NULL ? a : b)[s];
    return op == EXPR_AND ? a[s] & b[s] : a[s] | b[s];
}

static void join_row(struct expr_eval *eval, const struct bound *bound, uint64_t row)
{
    const struct bound *left = bound->args[0], *right = bound->args[1];
    const enum expr_op op = bound->node->op;
    const uint64_t nsamples = eval->expr->context.nsamples;
    bool a = eval_values(eval, left)->site[row], b = eval_values(eval, right)->site[row];
    bool is_and = op == EXPR_AND || op == EXPR_AND_ANY, any = false;
    bool pass = is_and ? a && b : a || b;
    /* With ||, all samples pass if either side is true, except if the other side is one of the site
     * and false. */
    bool all = op == EXPR_OR_ANY && (left->per_sample || a) && (right->per_sample || b);
    struct values *out = eval_values(eval, bound);

    for (uint64_t s = 0; bound->per_sample && s < nsamples; s++) {
        uint8_t one = pass && bound_uses(bound, s)
                          ? join_samples(op, samples_at(eval, left, row),
                                         samples_at(eval, right, row), all, s)
                          : 0;

        out->samples[row * nsamples + s] = one;
        any = any || one;
    }
    /* With &, both sides must be true for the same sample. */
    out->site[row] = op == EXPR_AND && left->per_sample && right->per_sample ? any : pass;
}

static bool any_site(const uint8_t *site, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (site[i])
            return true;
    return false;
}

static int eval_logic(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const enum expr_op op = bound->node->op;
    bool is_and = op == EXPR_AND || op == EXPR_AND_ANY;
    struct values *out = eval_values(eval, bound);
    const uint64_t n = eval->batch->n;

    if (eval_node(eval, bound->args[0], err) != 0)
        return -1;
    /* If the first side rejects all variants of the batch, the other side's arrays are not read. */
    if (is_and && !any_site(eval_values(eval, bound->args[0])->site, n)) {
        memset(out->site, 0, n);
        if (bound->per_sample)
            memset(out->samples, 0, n * eval->expr->context.nsamples);
        return 0;
    }
    if (eval_node(eval, bound->args[1], err) != 0)
        return -1;
    for (uint64_t row = 0; row < n; row++)
        join_row(eval, bound, row);
    return 0;
}

static void eval_compare_type(struct expr_eval *eval, const struct bound *bound)
{
    const double *types = eval_values(eval, bound->args[0])->numbers;
    uint8_t *out = eval_values(eval, bound)->site;
    unsigned wanted = (unsigned)bound->number;

    for (uint64_t i = 0; i < eval->batch->n; i++) {
        unsigned has = (unsigned)types[i];

        switch (bound->node->op) {
        case EXPR_EQ:
            out[i] = has == wanted;
            break;
        case EXPR_NE:
            out[i] = has != wanted;
            break;
        case EXPR_LIKE:
            out[i] = (has & wanted) != 0;
            break;
        default:
            out[i] = (has & wanted) == 0;
        }
    }
}

static int eval_operator(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    switch (bound->kind) {
    case BOUND_ARITHMETIC:
        eval_arithmetic(eval, bound);
        return 0;
    case BOUND_FLAG:
        eval_flag(eval, bound);
        return 0;
    case BOUND_COMPARE_TYPE:
        eval_compare_type(eval, bound);
        return 0;
    case BOUND_COMPARE_NUMBERS:
        return eval_compare_numbers(eval, bound, err);
    case BOUND_COMPARE_STRINGS:
        return eval_compare_strings(eval, bound, err);
    case BOUND_COMPARE_ID:
        return eval_compare_id(eval, bound, err);
    case BOUND_COMPARE_FILTER:
        return eval_compare_filter(eval, bound, err);
    case BOUND_COMPARE_GT:
        return eval_compare_gt(eval, bound, err);
    default:
        return eval_call(eval, bound, err);
    }
}

static int eval_node(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    if (bound->kind == BOUND_LOGIC)
        return eval_logic(eval, bound, err);
    if (bound->nargs == 0)
        return eval_load(eval, bound, err);
    for (unsigned i = 0; i < bound->nargs; i++)
        if (eval_node(eval, bound->args[i], err) != 0)
            return -1;
    return eval_operator(eval, bound, err);
}

int expr_eval_run(struct expr_eval *eval, uint8_t *pass, struct err *err)
{
    eval->have_genotype = eval->have_phase = eval->have_counts = false;
    if (eval->batch->n > eval->max)
        return err_set(err, ERR_BUDGET, "an expression is asked for too many variants at once");
    if (eval_node(eval, eval->expr->root, err) != 0)
        return -1;
    for (unsigned i = 0; i < eval->expr->nslots; i++)
        if (eval->values[i].pattern != NULL && eval->values[i].pattern->text.failed)
            return err_nomem(err, "a regular expression");
    memcpy(pass, eval_values(eval, eval->expr->root)->site, eval->batch->n);
    return 0;
}
