/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_numbers.h"

#include "common/size.h"

#include <math.h>

/* The number of values before the padding. */
static uint64_t count(const double *at, uint64_t width)
{
    uint64_t n = 0;

    while (n < width && !number_is_fill(at[n]))
        n++;
    return n;
}

static double operate(enum expr_op op, double a, double b)
{
    switch (op) {
    case EXPR_ADD:
        return a + b;
    case EXPR_SUB:
        return a - b;
    case EXPR_MUL:
        return a * b;
    case EXPR_DIV:
        return a / b;
    case EXPR_MOD:
        if (!(fabs(a) < 9e15) || !(fabs(b) < 9e15) || trunc(b) == 0)
            return number_missing();
        return fmod(trunc(a), trunc(b));
    default:
        return -a;
    }
}

/* One cell: if one side has a single value, it goes with every value of the other side; else the
 * values go in pairs. */
static void operate_cell(enum expr_op op, const double *a, uint64_t na, const double *b,
                         uint64_t nb, double *out, uint64_t width)
{
    uint64_t n = na == 0 || nb == 0 ? 0 : size_max(na, nb);

    for (uint64_t i = 0; i < width; i++) {
        double x, y;

        if (i >= n) {
            out[i] = number_fill();
            continue;
        }
        x = na == 1 ? a[0] : i < na ? a[i] : number_missing();
        y = nb == 1 ? b[0] : i < nb ? b[i] : number_missing();
        out[i] =
            number_is_missing(x) || number_is_missing(y) ? number_missing() : operate(op, x, y);
    }
}

void eval_arithmetic(struct expr_eval *eval, const struct bound *bound)
{
    const struct bound *a = bound->args[0], *b = bound->nargs > 1 ? bound->args[1] : a;
    const uint64_t cells = bound_cells(eval->expr, bound);
    const double *x = eval_values(eval, a)->numbers, *y = eval_values(eval, b)->numbers;
    double *out = eval_values(eval, bound)->numbers;

    for (uint64_t i = 0; i < eval->batch->n * cells; i++) {
        const double *p = x + (a->per_sample == bound->per_sample ? i : i / cells) * a->width;
        const double *q = y + (b->per_sample == bound->per_sample ? i : i / cells) * b->width;

        operate_cell(bound->node->op, p, count(p, a->width), q, count(q, b->width),
                     out + i * bound->width, bound->width);
    }
}

/* Whether a comparison with missing values passes: [1] one side is missing, [2] both are. */
static const uint8_t missing_equal[3] = {0, 0, 1}, missing_differ[3] = {0, 1, 0},
                     missing_order[3] = {0, 0, 0};

/* bcftools compares as float, unless a number is too large for that. */
#define FLOAT_WHOLE_MAX 16777216

static bool compare_two(enum expr_op op, double a, double b)
{
    if (!(a > FLOAT_WHOLE_MAX || b > FLOAT_WHOLE_MAX)) {
        a = (double)(float)a;
        b = (double)(float)b;
    }
    switch (op) {
    case EXPR_EQ:
        return a == b;
    case EXPR_NE:
        return a != b;
    case EXPR_LT:
        return a < b;
    case EXPR_LE:
        return a <= b;
    case EXPR_GT:
        return a > b;
    default:
        return a >= b;
    }
}

static const uint8_t *missing_rule(enum expr_op op)
{
    return op == EXPR_EQ ? missing_equal : op == EXPR_NE ? missing_differ : missing_order;
}

static bool compare_values(enum expr_op op, double a, double b)
{
    unsigned nmissing = (unsigned)number_is_missing(a) + (unsigned)number_is_missing(b);

    return nmissing > 0 ? missing_rule(op)[nmissing] != 0 : compare_two(op, a, b);
}

/* True if the comparison passes for any pair. An empty side counts as one missing value. */
static bool compare_any(enum expr_op op, const double *a, uint64_t na, const double *b, uint64_t nb)
{
    for (uint64_t i = 0; i < size_max(na, 1); i++)
        for (uint64_t j = 0; j < size_max(nb, 1); j++)
            if (compare_values(op, na > 0 ? a[i] : number_missing(),
                               nb > 0 ? b[j] : number_missing()))
                return true;
    return false;
}

/* Two samples' values go in pairs. */
static bool compare_pairs(enum expr_op op, const double *a, uint64_t na, const double *b,
                          uint64_t nb)
{
    if (na <= 1 || nb <= 1)
        return compare_any(op, a, na, b, nb);
    for (uint64_t i = 0; i < size_max(na, nb); i++)
        if (compare_values(op, i < na ? a[i] : number_missing(), i < nb ? b[i] : number_missing()))
            return true;
    return false;
}

int eval_compare_numbers(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const struct bound *a = bound->args[0], *b = bound->args[1];
    const uint64_t cells = bound_cells(eval->expr, bound);
    const double *x = eval_values(eval, a)->numbers, *y = eval_values(eval, b)->numbers;
    struct values *out = eval_values(eval, bound);
    const enum expr_op op = bound->node->op;

    (void)err;
    for (uint64_t row = 0, i = 0; row < eval->batch->n; row++) {
        uint8_t any = 0;

        for (uint64_t cell = 0; cell < cells; cell++, i++) {
            const double *p = x + (a->per_sample == bound->per_sample ? i : row) * a->width;
            const double *q = y + (b->per_sample == bound->per_sample ? i : row) * b->width;
            uint64_t np = count(p, a->width), nq = count(q, b->width);
            bool pass = bound_uses(bound, cell) &&
                        (a->per_sample && b->per_sample ? compare_pairs(op, p, np, q, nq)
                                                        : compare_any(op, p, np, q, nq));

            if (bound->per_sample)
                out->samples[i] = pass;
            any |= pass;
        }
        out->site[row] = any;
    }
    return 0;
}
