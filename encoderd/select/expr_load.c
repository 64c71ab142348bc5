/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/select/expr_load.h"

#include "common/size.h"
#include "encoderd/select/expr_counted.h"
#include "encoderd/select/expr_genotypes.h"
#include "encoderd/select/types.h"

#include <inttypes.h>
#include <stdlib.h>

/* Which values of a cell are wanted; `call` has the alleles of its sample if they choose the
 * values. */
struct wanted_value {
    const struct bound *bound;
    const int64_t *call;
    unsigned ploidy;
};

static bool takes(const struct wanted_value *wanted, uint64_t i)
{
    const struct bound *bound = wanted->bound;

    for (unsigned k = 0; bound->take_of_call && k < wanted->ploidy; k++)
        if (wanted->call[k] == (int64_t)i)
            return true;
    return !bound->take_of_call &&
           (bound->take == NULL || !bound->take->given || expr_indices_have(bound->take, i));
}

/* Cell i's. */
static struct wanted_value wanted_at(const struct expr_eval *eval, const struct bound *bound,
                                     uint64_t i)
{
    const unsigned ploidy = eval->expr->context.vcz->ploidy;

    return (struct wanted_value){.bound = bound,
                                 .call = bound->take_of_call ? eval->alleles + i * ploidy : NULL,
                                 .ploidy = ploidy};
}

/* Copies the wanted values of one cell. If all of them are missing, the cell is left empty. */
static void take_numbers(const struct wanted_value *wanted, const double *from, double *to)
{
    const struct bound *bound = wanted->bound;
    uint64_t n = 0;
    bool any = false;

    for (uint64_t i = 0; i < bound->array_width && n < bound->width; i++)
        if (takes(wanted, i)) {
            any = any || !number_is_missing(from[i]);
            to[n++] = from[i];
        }
    for (uint64_t i = any ? n : 0; i < bound->width; i++)
        to[i] = number_fill();
}

static bool string_is_missing(const struct str *str)
{
    return str->len == 0 || (str->len == 1 && str->at[0] == '.');
}

static void take_strings(const struct wanted_value *wanted, const struct str *from, struct str *to)
{
    const struct bound *bound = wanted->bound;
    uint64_t n = 0;
    bool any = false;

    for (uint64_t i = 0; i < bound->array_width && n < bound->width; i++)
        if (takes(wanted, i) && from[i].len > 0) {
            any = any || !string_is_missing(&from[i]);
            to[n++] = from[i];
        }
    for (uint64_t i = any ? n : 0; i < bound->width; i++)
        to[i] = (struct str){.at = "", .len = 0};
}

/* Samples that do not count get an empty cell; the others come in their order. */
static void place_numbers(const struct expr_eval *eval, const struct bound *bound,
                          const double *from, double *to)
{
    const uint64_t cells = bound_cells(eval->expr, bound);

    for (uint64_t i = 0, cell = 0; i < eval->batch->n * cells; i++, to += bound->width) {
        const struct wanted_value wanted = wanted_at(eval, bound, i);
        uint64_t at = cell;

        cell = cell + 1 < cells ? cell + 1 : 0;
        if (bound->per_sample && !bound_uses(bound, at)) {
            for (uint64_t k = 0; k < bound->width; k++)
                to[k] = number_fill();
            continue;
        }
        take_numbers(&wanted, from, to);
        from += bound->array_width;
    }
}

static void place_strings(const struct expr_eval *eval, const struct bound *bound,
                          const struct str *from, struct str *to)
{
    const uint64_t cells = bound_cells(eval->expr, bound);

    for (uint64_t i = 0, cell = 0; i < eval->batch->n * cells; i++, to += bound->width) {
        const struct wanted_value wanted = wanted_at(eval, bound, i);
        uint64_t at = cell;

        cell = cell + 1 < cells ? cell + 1 : 0;
        if (bound->per_sample && !bound_uses(bound, at)) {
            for (uint64_t k = 0; k < bound->width; k++)
                to[k] = (struct str){.at = "", .len = 0};
            continue;
        }
        take_strings(&wanted, from, to);
        from += bound->array_width;
    }
}

static int load_array(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    struct values *values = eval_values(eval, bound);
    const struct batch *batch = eval->batch;

    if (bound->take_of_call && eval_genotypes(eval, err) != 0)
        return -1;
    if (bound->type == TYPE_IS_STRING) {
        if (column_strings(values->column, batch->begin, batch->n, values->scratch, err) != 0)
            return -1;
        place_strings(eval, bound, values->scratch, values->strings);
        return 0;
    }
    column_limit(values->column, batch->limit);
    if (column_doubles(values->column, batch->begin, batch->n, values->scratch, err) != 0)
        return -1;
    place_numbers(eval, bound, values->scratch, values->numbers);
    return 0;
}

/* A constant is stored once: it is the same for every batch. */
static void load_constant(struct expr_eval *eval, const struct bound *bound)
{
    struct values *values = eval_values(eval, bound);

    if (values->is_constant_made)
        return;
    values->is_constant_made = true;
    for (uint64_t i = 0; i < eval->max; i++)
        if (bound->type == TYPE_IS_STRING)
            values->strings[i] = (struct str){.at = bound->text, .len = bound->text_len};
        else
            values->numbers[i] = bound->number;
}

static int load_place(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    struct values *values = eval_values(eval, bound);
    const struct strings *contigs = &eval->expr->context.vcz->contigs;
    const int64_t *at = bound->kind == BOUND_CHROM ? batch_contigs(eval->batch, err)
                                                   : batch_positions(eval->batch, err);

    if (at == NULL)
        return -1;
    for (uint64_t i = 0; i < eval->batch->n; i++)
        if (bound->kind == BOUND_CHROM)
            values->strings[i] = contigs->items[at[i]];
        else
            values->numbers[i] = (double)at[i];
    return 0;
}

static int load_ids(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    const struct str *ids = batch_ids(eval->batch, err);

    if (ids == NULL)
        return -1;
    memcpy(eval_values(eval, bound)->strings, ids, eval->batch->n * sizeof *ids);
    return 0;
}

/* As in bcftools, ALT is empty if there is no ALT, but ALT[i] is then ".". */
static void load_alt(const struct bound *bound, const struct str *alleles, unsigned nalleles,
                     struct str *out)
{
    const struct wanted_value wanted = {.bound = bound};
    uint64_t n = 0;

    for (uint64_t i = 0; i + 1 < nalleles && n < bound->width; i++)
        if (takes(&wanted, i))
            out[n++] = alleles[i + 1];
    if (n == 0 && bound->take != NULL && bound->take->single)
        out[n++] = (struct str){.at = ".", .len = 1};
    for (; n < bound->width; n++)
        out[n] = (struct str){.at = "", .len = 0};
}

static void load_ilen(const struct bound *bound, const struct str *alleles, unsigned nalleles,
                      double *scratch, double *out)
{
    const struct wanted_value wanted = {.bound = bound};

    for (uint64_t i = 0; i < bound->array_width; i++) {
        bool listed = i + 1 < nalleles;

        scratch[i] = !listed ? number_fill()
                     : alleles[i + 1].len == alleles[0].len
                         ? number_missing()
                         : (double)alleles[i + 1].len - (double)alleles[0].len;
    }
    take_numbers(&wanted, scratch, out);
}

static int load_alleles(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    struct values *values = eval_values(eval, bound);
    const uint64_t slots = batch_allele_slots(eval->batch);
    const unsigned *nalleles;
    const struct str *alleles = batch_alleles(eval->batch, &nalleles, err);
    double *scratch = calloc(bound->array_width + 1, sizeof *scratch);

    if (alleles == NULL || scratch == NULL) {
        free(scratch);
        return alleles == NULL ? -1 : err_nomem(err, "an expression");
    }
    for (uint64_t i = 0; i < eval->batch->n; i++, alleles += slots) {
        if (bound->kind == BOUND_REF)
            values->strings[i] = alleles[0];
        else if (bound->kind == BOUND_ALT)
            load_alt(bound, alleles, nalleles[i], values->strings + i * bound->width);
        else if (bound->kind == BOUND_N_ALT)
            values->numbers[i] = nalleles[i] - 1;
        else
            load_ilen(bound, alleles, nalleles[i], scratch, values->numbers + i * bound->width);
    }
    free(scratch);
    return 0;
}

/* The user compares TYPE with a string; here it is a set of bits. */
static int load_types(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    struct values *values = eval_values(eval, bound);
    const uint64_t slots = batch_allele_slots(eval->batch);
    const unsigned *nalleles;
    const struct str *alleles = batch_alleles(eval->batch, &nalleles, err);

    if (alleles == NULL)
        return -1;
    if (values->numbers == NULL)
        values->numbers = calloc(eval->max + 1, sizeof *values->numbers);
    if (values->numbers == NULL)
        return err_nomem(err, "an expression");
    for (uint64_t i = 0; i < eval->batch->n; i++)
        values->numbers[i] = types_of_site(alleles + i * slots, nalleles[i]);
    return 0;
}

static int load_filters(struct expr_eval *eval, struct err *err)
{
    column_limit(eval->filter, eval->batch->limit);
    return column_ints(eval->filter, eval->batch->begin, eval->batch->n, eval->filters, err);
}

int eval_load(struct expr_eval *eval, const struct bound *bound, struct err *err)
{
    switch (bound->kind) {
    case BOUND_CONSTANT:
        load_constant(eval, bound);
        return 0;
    case BOUND_ARRAY:
        return load_array(eval, bound, err);
    case BOUND_CHROM:
    case BOUND_POS:
        return load_place(eval, bound, err);
    case BOUND_ID:
        return load_ids(eval, bound, err);
    case BOUND_REF:
    case BOUND_ALT:
    case BOUND_N_ALT:
    case BOUND_ILEN:
        return load_alleles(eval, bound, err);
    case BOUND_TYPE:
        return load_types(eval, bound, err);
    case BOUND_FILTER:
        return load_filters(eval, err);
    case BOUND_GT:
        return eval_genotypes(eval, err);
    case BOUND_FILE:
        return 0;
    default:
        return eval_counted(eval, bound, err);
    }
}
