/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/tallies.h"

#include "common/size.h"
#include "encoderd/vcz/columns.h"

#include <math.h>
#include <stdlib.h>

/* Frequencies were rounded to a few digits when they were written. */
#define FREQUENCY_SLACK 0.01

/* A column and what it reads. */
struct tally_column {
    struct zarr_array *array; /* owned; NULL if there is none */
    struct column *column;    /* owned */
};

struct tallies {
    const struct vcz *vcz;   /* borrowed */
    struct decoder *decoder; /* owned */
    struct tally_column stored, an;
    bool frequencies; /* the stored ones are AF, not AC */
    struct column *calls;
    uint64_t width;   /* ALTs that the store counts */
    double *said;     /* owned; width of them */
    int64_t *alleles; /* owned; one variant's */
    uint64_t *counts; /* owned; the count of ALT k, and at [width] of all called alleles */
};

static void source_close(struct tally_column *source)
{
    column_free(source->column);
    zarr_array_free(source->array);
    *source = (struct tally_column){0};
}

/* An array that cannot be read is treated as absent. */
static void source_open(struct tallies *tallies, const char *name, size_t budget,
                        struct tally_column *out)
{
    struct err ignored = {0};

    if (column_array_open(tallies->vcz, name, false, &out->array, &ignored) != 0 ||
        out->array == NULL)
        return;
    if (!column_array_is_string(out->array))
        out->column = column_new(out->array, NULL, 0, tallies->decoder, budget, &ignored);
    if (out->column == NULL)
        source_close(out);
}

static int open_calls(struct tallies *tallies, size_t budget, struct err *err)
{
    const struct vcz *vcz = tallies->vcz;

    tallies->width = column_array_width(tallies->stored.array, false);
    tallies->said = calloc(tallies->width + 1, sizeof *tallies->said);
    tallies->counts = calloc(tallies->width + 1, sizeof *tallies->counts);
    tallies->alleles = calloc(vcz->nsamples + 1, vcz->ploidy * sizeof *tallies->alleles);
    if (tallies->said == NULL || tallies->counts == NULL || tallies->alleles == NULL)
        return err_nomem(err, "%llu samples", (unsigned long long)vcz->nsamples);
    tallies->calls =
        column_new(vcz->genotype, vcz->sample_column, vcz->nsamples, tallies->decoder, budget, err);
    return tallies->calls != NULL ? 0 : -1;
}

int tallies_open(const struct vcz *vcz, size_t scratch_max, struct tallies **out, struct err *err)
{
    struct tallies *tallies = calloc(1, sizeof *tallies);
    int rc = -1;

    *out = NULL;
    if (tallies == NULL)
        return err_nomem(err, "counting calls");
    tallies->vcz = vcz;
    tallies->decoder = decoder_new(scratch_max, err);
    if (tallies->decoder != NULL) {
        source_open(tallies, "variant_AC", scratch_max, &tallies->stored);
        tallies->frequencies = tallies->stored.column == NULL;
        if (tallies->frequencies)
            source_open(tallies, "variant_AF", scratch_max, &tallies->stored);
        source_open(tallies, "variant_AN", scratch_max, &tallies->an);
        rc = tallies->stored.column != NULL ? open_calls(tallies, scratch_max, err) : 0;
    }
    if (rc == 0 && tallies->stored.column != NULL)
        *out = tallies;
    else
        tallies_free(tallies);
    return rc;
}

void tallies_free(struct tallies *tallies)
{
    if (tallies == NULL)
        return;
    source_close(&tallies->stored);
    source_close(&tallies->an);
    column_free(tallies->calls);
    decoder_free(tallies->decoder);
    free(tallies->said);
    free(tallies->alleles);
    free(tallies->counts);
    free(tallies);
}

void tallies_trim(struct tallies *tallies)
{
    if (tallies != NULL)
        decoder_trim(tallies->decoder);
}

int tallies_stored(struct tallies *tallies, uint64_t begin, uint64_t n, double *out,
                   struct err *err)
{
    for (uint64_t i = 0; i < n; i++) {
        if (column_doubles(tallies->stored.column, begin + i, 1, tallies->said, err) != 0)
            return -1;
        out[i] = 0;
        for (uint64_t k = 0; k < tallies->width; k++)
            out[i] += tallies->said[k] > 0 ? tallies->said[k] : 0;
    }
    return 0;
}

static int count(struct tallies *tallies, uint64_t variant, struct err *err)
{
    const uint64_t n = tallies->vcz->nsamples * tallies->vcz->ploidy;

    if (column_ints(tallies->calls, variant, 1, tallies->alleles, err) != 0)
        return -1;
    for (uint64_t k = 0; k <= tallies->width; k++)
        tallies->counts[k] = 0;
    for (uint64_t i = 0; i < n; i++) {
        const int64_t allele = tallies->alleles[i];

        tallies->counts[tallies->width] += allele >= 0;
        if (allele > 0 && (uint64_t)allele <= tallies->width)
            tallies->counts[allele - 1]++;
    }
    return 0;
}

static enum tally compare_one(const struct tallies *tallies, uint64_t k)
{
    const double counted = (double)tallies->counts[k];
    double said = tallies->said[k], slack = 0;

    if (tallies->frequencies) {
        said *= (double)tallies->counts[tallies->width];
        slack = 1 + FREQUENCY_SLACK * said;
    }
    if (!(said >= 0)) /* not a number: nothing is said */
        return TALLY_AGREES;
    return said > counted + slack ? TALLY_MORE : said < counted - slack ? TALLY_LESS : TALLY_AGREES;
}

static int compare_an(struct tallies *tallies, uint64_t variant, enum tally *out, struct err *err)
{
    double an = NAN;

    if (tallies->an.column != NULL && column_array_width(tallies->an.array, false) == 1 &&
        column_doubles(tallies->an.column, variant, 1, &an, err) != 0)
        return -1;
    if (an != (double)tallies->counts[tallies->width])
        *out = TALLY_LESS;
    return 0;
}

int tallies_compare(struct tallies *tallies, uint64_t variant, bool an, enum tally *out,
                    struct err *err)
{
    *out = TALLY_AGREES;
    if (column_doubles(tallies->stored.column, variant, 1, tallies->said, err) != 0 ||
        count(tallies, variant, err) != 0)
        return -1;
    for (uint64_t k = 0; k < tallies->width && *out != TALLY_MORE; k++) {
        const enum tally one = compare_one(tallies, k);

        if (one != TALLY_AGREES)
            *out = one;
    }
    return an && *out == TALLY_AGREES ? compare_an(tallies, variant, out, err) : 0;
}
