/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_exact.h"

#include "encoderd/select/expr_genotypes.h"

#include <math.h>

/* Continued fraction of the incomplete beta function at one half (Lentz's method). */
static double beta_fraction(double a, double b)
{
    const double x = 0.5, tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), f;

    d = 1 / (fabs(d) < tiny ? tiny : d);
    f = d;
    for (int m = 1; m < 10000; m++) {
        double terms[2] = {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                           -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))};
        double step = 1;

        for (int k = 0; k < 2; k++) {
            d = 1 + terms[k] * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + terms[k] / c;
            c = fabs(c) < tiny ? tiny : c;
            step = c * d;
            f *= step;
        }
        if (fabs(step - 1) < 1e-15)
            break;
    }
    return f;
}

/* The regularized incomplete beta function at one half. */
static double beta_half(double a, double b)
{
    int sign;
    double front =
        exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) - (a + b) * M_LN2);

    return a + 1 > (a + b + 2) * 0.5 ? front * beta_fraction(a, b) / a
                                     : 1 - front * beta_fraction(b, a) / b;
}

/* A whole number of observations. */
static bool is_count(double x)
{
    return !number_is_missing(x) && x >= 0 && x < INT32_MAX;
}

/* Two-tailed binomial test of two counts against one half; a missing number if both are 0. */
static double binom(double x, double y)
{
    double na, nb, p;

    if (!is_count(x) || !is_count(y))
        return number_missing();
    na = trunc(x);
    nb = trunc(y);
    if (na + nb == 0)
        return number_missing();
    if (na == nb)
        return 1;
    p = 2 * beta_half(na > nb ? na : nb, (na < nb ? na : nb) + 1);
    return p > 1 ? 1 : p;
}

/* All 2 × 2 tables with these margins. A table is known by its first cell, from `least` to `most`.
 */
struct margins {
    double row, column, total; /* of the first row, of the first column, of all */
    double least, most;
};

static double log_choose(double n, double k)
{
    int sign;

    return lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign);
}

static double table_p(const struct margins *m, double cell)
{
    return exp(log_choose(m->row, cell) + log_choose(m->total - m->row, m->column - cell) -
               log_choose(m->total, m->column));
}

/* The sum of p over the tables from `cell` on, away from the likeliest one. It ends when more terms
 * make no difference, after some square roots of the total. */
static double tail(const struct margins *m, double cell, bool up)
{
    double p = table_p(m, cell), sum = 0;

    while (p > sum * 1e-17) {
        const double last = m->total - m->row - m->column + cell;

        sum += p;
        p *= up ? (m->row - cell) * (m->column - cell) / ((cell + 1) * (last + 1))
                : cell * last / ((m->row - cell + 1) * (m->column - cell + 1));
        cell += up ? 1 : -1;
    }
    return sum;
}

/* Counts the tables that are less likely than p on one side of the likeliest one, `mode`, from the
 * far end. */
static double count_unlikely(const struct margins *m, double mode, double p, bool above)
{
    double low = 0, high = above ? m->most - mode + 1 : mode - m->least + 1;

    while (low < high) {
        double middle = floor((low + high) / 2);

        if (table_p(m, above ? m->most - middle : m->least + middle) < p)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Fisher's exact test, two-tailed: the probability of all tables that are no likelier than this
 * one. Tables that differ from it only by rounding count too, with htslib's tolerance. */
static double fisher(double a, double b, double c, double d)
{
    struct margins m;
    double p, mode, n;
    bool above;

    if (!is_count(a) || !is_count(b) || !is_count(c) || !is_count(d))
        return number_missing();
    a = trunc(a);
    m = (struct margins){.row = a + trunc(b), .column = a + trunc(c)};
    m.total = m.row + trunc(c) + trunc(d);
    m.least = fmax(0, m.row + m.column - m.total);
    m.most = fmin(m.row, m.column);
    mode = floor((m.row + 1) * (m.column + 1) / (m.total + 2));
    p = table_p(&m, a);
    if (m.least == m.most || a == mode)
        return 1;
    if (p == 0)
        return 0;
    above = a < mode;
    n = count_unlikely(&m, mode, p * 1.00000001, above);
    p = tail(&m, a, !above);
    if (n > 0)
        p += tail(&m, above ? m.most - n + 1 : m.least + n - 1, above);
    return fmin(p, 1);
}

static double value_at(const struct bound *arg, const double *numbers, uint64_t cell, int64_t k)
{
    return k >= 0 && (uint64_t)k < arg->width ? numbers[cell * arg->width + (uint64_t)k]
                                              : number_missing();
}

static uint64_t count_there(const struct bound *arg, const double *at)
{
    uint64_t n = 0;

    while (n < arg->width && !number_is_fill(at[n]))
        n++;
    return n;
}

/* binom(AD), fisher(ADF,ADR): the alleles of the genotype choose two values of each tag. */
static double test_of_call(struct expr_eval *eval, const struct bound *bound, const double *x,
                           const double *y, uint64_t cell)
{
    const struct bound *a = bound->args[0], *b = bound->args[1];
    const unsigned ploidy = eval->expr->context.vcz->ploidy;
    const int64_t *alleles = eval->alleles + cell * ploidy;

    if (ploidy < 2 || alleles[0] < 0 || alleles[1] < 0)
        return number_missing();
    if (bound->node->func == FUNC_BINOM)
        return binom(value_at(a, x, cell, alleles[0]), value_at(a, x, cell, alleles[1]));
    return fisher(value_at(a, x, cell, alleles[0]), value_at(a, x, cell, alleles[1]),
                  value_at(b, y, cell, alleles[0]), value_at(b, y, cell, alleles[1]));
}

/* Two values of one tag, or one value of each of two tags. */
static double binom_of_values(const struct bound *bound, const double *a, const double *b)
{
    if (bound->nargs == 1)
        return count_there(bound->args[0], a) == 2 ? binom(a[0], a[1]) : number_missing();
    return count_there(bound->args[0], a) == 1 && count_there(bound->args[1], b) == 1
               ? binom(a[0], b[0])
               : number_missing();
}

/* Four values of one tag, or two values of each of two tags. */
static double fisher_of_values(const struct bound *bound, const double *a, const double *b)
{
    if (bound->nargs == 1)
        return count_there(bound->args[0], a) == 4 ? fisher(a[0], a[1], a[2], a[3])
                                                   : number_missing();
    return count_there(bound->args[0], a) >= 2 && count_there(bound->args[1], b) >= 2
               ? fisher(a[0], a[1], b[0], b[1])
               : number_missing();
}

int eval_exact(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const struct bound *a = bound->args[0], *b = bound->args[1];
    const double *x = eval_values(eval, a)->numbers;
    const double *y = b != NULL ? eval_values(eval, b)->numbers : NULL;
    double *out = eval_values(eval, bound)->numbers;

    if (bound->by_call && eval_genotypes(eval, err) != 0)
        return -1;
    for (uint64_t i = 0; i < eval->batch->n * bound_cells(eval->expr, bound); i++) {
        const double *p = x + i * a->width, *q = b != NULL ? y + i * b->width : NULL;

        if (bound->by_call)
            out[i] = test_of_call(eval, bound, x, y, i);
        else
            out[i] = bound->node->func == FUNC_BINOM ? binom_of_values(bound, p, q)
                                                     : fisher_of_values(bound, p, q);
    }
    return 0;
}
