/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_counted.h"

#include "encoderd/select/expr_genotypes.h"

#include <inttypes.h>

static int count_allele(struct expr_eval *eval, uint64_t row, unsigned nalleles, int64_t allele,
                        struct err *err)
{
    if (allele >= nalleles)
        return err_set(err, ERR_CORRUPT,
                       "%s: array call_genotype: variant %" PRIu64 " has a call of allele %" PRId64
                       ", but %u alleles",
                       store_path(eval->expr->context.vcz->store), eval->batch->begin + row, allele,
                       nalleles);
    eval->an[row]++;
    eval->ac[row * batch_allele_slots(eval->batch) + (uint64_t)allele]++;
    return 0;
}

/* A call counts as missing only if all its alleles are missing. bcftools also counts half-missing
 * calls. */
static int count_call(struct expr_eval *eval, uint64_t row, unsigned nalleles,
                      const struct call *call, struct err *err)
{
    bool has_data = call->a >= 0 || call->b >= 0;

    eval->nmissing[row] += !has_data;
    eval->ns[row] += has_data;
    if (call->a >= 0 && count_allele(eval, row, nalleles, call->a, err) != 0)
        return -1;
    return call->b >= 0 ? count_allele(eval, row, nalleles, call->b, err) : 0;
}

static int count_row(struct expr_eval *eval, uint64_t row, unsigned nalleles, struct err *err)
{
    const uint64_t slots = batch_allele_slots(eval->batch);
    const uint64_t nsamples = eval->expr->context.nsamples;

    eval->an[row] = eval->nmissing[row] = eval->ns[row] = 0;
    memset(eval->ac + row * slots, 0, slots * sizeof *eval->ac);
    for (uint64_t s = 0; s < nsamples; s++) {
        const struct call call = call_at(eval, row * nsamples + s);

        if (count_call(eval, row, nalleles, &call, err) != 0)
            return -1;
    }
    return 0;
}

/* Takes the store's own AC and AN where a variant has both. */
static void use_stored(struct expr_eval *eval, uint64_t row, unsigned nalleles)
{
    const uint64_t slots = batch_allele_slots(eval->batch);
    const uint64_t width = column_array_width(eval->expr->ac, false);
    const double *ac = eval->stored_acs + row * width, an = eval->stored_ans[row];

    if (number_is_missing(an) || nalleles - 1 > width)
        return;
    for (uint64_t i = 0; i < width; i++)
        if (number_is_missing(ac[i]) != (i + 1 >= nalleles))
            return;
    eval->an[row] = (int64_t)an;
    for (uint64_t i = 0; i + 1 < nalleles; i++)
        eval->ac[row * slots + i + 1] = (int64_t)ac[i];
}

static int read_stored(struct expr_eval *eval, struct err *err)
{
    const struct batch *batch = eval->batch;

    column_limit(eval->stored_ac, batch->limit);
    column_limit(eval->stored_an, batch->limit);
    if (column_doubles(eval->stored_ac, batch->begin, batch->n, eval->stored_acs, err) != 0)
        return -1;
    return column_doubles(eval->stored_an, batch->begin, batch->n, eval->stored_ans, err);
}

static int make_counts(struct expr_eval *eval, struct err *err)
{
    const unsigned *nalleles;

    if (eval->have_counts)
        return 0;
    if (eval_genotypes(eval, err) != 0 || batch_alleles(eval->batch, &nalleles, err) == NULL ||
        (eval->stored_ac != NULL && read_stored(eval, err) != 0))
        return -1;
    for (uint64_t row = 0; row < eval->batch->n; row++) {
        if (count_row(eval, row, nalleles[row], err) != 0)
            return -1;
        if (eval->stored_ac != NULL)
            use_stored(eval, row, nalleles[row]);
    }
    eval->have_counts = true;
    return 0;
}

static double counted_value(enum bound_kind kind, double ac, double an)
{
    switch (kind) {
    case BOUND_AC:
        return ac;
    case BOUND_MAC:
        return ac > an * 0.5 ? an - ac : ac;
    case BOUND_AF:
        return ac / an;
    default:
        return ac / an > 0.5 ? 1 - ac / an : ac / an;
    }
}

/* One value per ALT allele. A site without ALT has one ALT slot, with count 0. */
static void put_counted(const struct expr_eval *eval, const struct bound *bound, uint64_t row,
                        unsigned nalleles, double *out)
{
    const int64_t *ac = eval->ac + row * batch_allele_slots(eval->batch);
    const struct expr_indices *take = bound->take;
    uint64_t n = 0;

    for (uint64_t i = 0; eval->an[row] > 0 && i < bound->array_width && n < bound->width; i++)
        if ((i + 1 < nalleles || i == 0) && (take == NULL || expr_indices_have(take, i)))
            out[n++] = counted_value(bound->kind, i + 1 < nalleles ? (double)ac[i + 1] : 0,
                                     (double)eval->an[row]);
    /* As in bcftools, an ALT that a site lacks has count 0. */
    if (n == 0 && eval->an[row] > 0 && take != NULL && take->single)
        out[n++] = 0;
    for (; n < bound->width; n++)
        out[n] = number_fill();
}

int eval_counted(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    double *out = eval_values(eval, bound)->numbers;
    const uint64_t nsamples = eval->expr->context.nsamples;
    const unsigned *nalleles;

    if (make_counts(eval, err) != 0 || batch_alleles(eval->batch, &nalleles, err) == NULL)
        return -1;
    for (uint64_t row = 0; row < eval->batch->n; row++)
        switch (bound->kind) {
        case BOUND_AN:
            out[row] = (double)eval->an[row];
            break;
        case BOUND_NS:
            out[row] = (double)eval->ns[row];
            break;
        case BOUND_N_MISSING:
            out[row] = (double)eval->nmissing[row];
            break;
        case BOUND_F_MISSING:
            out[row] = (double)eval->nmissing[row] / (double)nsamples;
            break;
        default:
            put_counted(eval, bound, row, nalleles[row], out + row * bound->width);
        }
    return 0;
}
