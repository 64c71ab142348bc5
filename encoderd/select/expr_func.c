/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_func.h"

#include "encoderd/select/expr_exact.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* 10 / ln 10, to as many digits as bcftools has. */
#define PHRED_SCALE 4.34294481903

/* True if the function looks at each sample separately. */
static bool by_sample(const struct bound *bound)
{
    return bound->node->per_sample && bound->args[0]->per_sample;
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, uint64_t n)
{
    qsort(values, n, sizeof *values, compare_numbers);
    return n % 2 != 0 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) * 0.5;
}

static double sum(const double *values, uint64_t n)
{
    double total = 0;

    for (uint64_t i = 0; i < n; i++)
        total += values[i];
    return total;
}

static double deviation(const double *values, uint64_t n)
{
    double mean = sum(values, n) / (double)n, squares = 0;

    for (uint64_t i = 0; i < n; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return sqrt(squares / (double)n);
}

static double extreme(const double *values, uint64_t n, bool greatest)
{
    double best = values[0];

    for (uint64_t i = 1; i < n; i++)
        if (greatest ? values[i] > best : values[i] < best)
            best = values[i];
    return best;
}

/* n > 0 values, none of them missing; may be reordered. */
static double reduce(enum expr_func func, double *values, uint64_t n)
{
    switch (func) {
    case FUNC_MAX:
        return extreme(values, n, true);
    case FUNC_MIN:
        return extreme(values, n, false);
    case FUNC_AVG:
        return sum(values, n) / (double)n;
    case FUNC_MEDIAN:
        return median(values, n);
    case FUNC_STDEV:
        return deviation(values, n);
    default:
        return sum(values, n);
    }
}

/* Gathers the values that are not missing from cells [begin, end) of an argument. */
static uint64_t gather(const struct bound *arg, const double *numbers, uint64_t cells,
                       uint64_t begin, uint64_t end, double *to)
{
    uint64_t n = 0;

    for (uint64_t cell = begin; cell < end; cell++) {
        if (arg->per_sample && !bound_uses(arg, cell % cells))
            continue;
        for (uint64_t k = 0; k < arg->width; k++)
            if (!number_is_missing(numbers[cell * arg->width + k]))
                to[n++] = numbers[cell * arg->width + k];
    }
    return n;
}

static int eval_reduce(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const struct bound *arg = bound->args[0];
    const uint64_t cells = bound_cells(eval->expr, arg), step = by_sample(bound) ? 1 : cells;
    const double *numbers = eval_values(eval, arg)->numbers;
    double *out = eval_values(eval, bound)->numbers;
    double *scratch = calloc(step * arg->width + 1, sizeof *scratch);

    if (scratch == NULL)
        return err_nomem(err, "an expression");
    for (uint64_t i = 0; i < eval->batch->n * cells / step; i++) {
        uint64_t n = gather(arg, numbers, cells, i * step, (i + 1) * step, scratch);

        out[i] = n > 0 ? reduce(bound->node->func, scratch, n) : number_fill();
    }
    free(scratch);
    return 0;
}

static uint64_t count_strings(const struct bound *arg, const struct str *strings)
{
    uint64_t n = 0;

    for (uint64_t k = 0; k < arg->width && strings[k].len > 0; k++) {
        n++;
        for (size_t i = 0; i < strings[k].len; i++)
            n += strings[k].at[i] == ',';
    }
    return n;
}

/* Counts the values of a cell; of a truth, 1 if the sample passes. */
static uint64_t count_cell(const struct bound *arg, const struct values *values, uint64_t cell)
{
    uint64_t n = 0;

    switch (arg->type) {
    case TYPE_IS_TRUTH:
        return arg->per_sample ? values->samples[cell] : values->site[cell];
    case TYPE_IS_STRING:
        return count_strings(arg, values->strings + cell * arg->width);
    case TYPE_IS_NUMBER:
        break;
    }
    for (uint64_t k = 0; k < arg->width; k++) {
        double value = values->numbers[cell * arg->width + k];

        n += arg->per_sample ? !number_is_missing(value) : !number_is_fill(value);
    }
    return n;
}

static void eval_count(struct expr_eval *eval, const struct bound *bound)
{
    const struct bound *arg = bound->args[0];
    const uint64_t cells = bound_cells(eval->expr, arg);
    const struct values *values = eval_values(eval, arg);
    double *out = eval_values(eval, bound)->numbers;
    bool fraction = bound->node->func == FUNC_F_PASS;

    for (uint64_t i = 0; by_sample(bound) && i < eval->batch->n * cells; i++)
        out[i] = (double)count_cell(arg, values, i);
    for (uint64_t row = 0; !by_sample(bound) && row < eval->batch->n; row++) {
        uint64_t n = 0;

        for (uint64_t s = 0; s < cells; s++)
            if (!arg->per_sample || bound_uses(arg, s))
                n += count_cell(arg, values, row * cells + s);
        out[row] = fraction ? (double)n / (double)cells : (double)n;
    }
}

static double length_of(const struct str *text)
{
    return text->len == 1 && text->at[0] == '.' ? 0 : (double)text->len;
}

/* Of every value, each in its place. */
static void eval_each(struct expr_eval *eval, const struct bound *bound)
{
    const struct bound *arg = bound->args[0];
    const struct values *values = eval_values(eval, arg);
    const uint64_t n = eval->batch->n * bound_cells(eval->expr, arg) * arg->width;
    double *out = eval_values(eval, bound)->numbers;

    for (uint64_t i = 0; i < n; i++)
        if (bound->node->func == FUNC_STRLEN)
            out[i] = values->strings[i].len > 0 ? length_of(&values->strings[i]) : number_fill();
        else if (number_is_missing(values->numbers[i]))
            out[i] = values->numbers[i];
        else
            out[i] = bound->node->func == FUNC_ABS ? fabs(values->numbers[i])
                                                   : -PHRED_SCALE * log(values->numbers[i]);
}

int eval_call(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    switch (bound->node->func) {
    case FUNC_COUNT:
    case FUNC_N_PASS:
    case FUNC_F_PASS:
        eval_count(eval, bound);
        return 0;
    case FUNC_ABS:
    case FUNC_STRLEN:
    case FUNC_PHRED:
        eval_each(eval, bound);
        return 0;
    case FUNC_BINOM:
    case FUNC_FISHER:
        return eval_exact(eval, bound, err);
    default:
        return eval_reduce(eval, bound, err);
    }
}
