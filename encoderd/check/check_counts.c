/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/check/check_counts.h"

#include "common/size.h"
#include "encoderd/vcz/columns.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Limit for the counts of one row of chunks, for each thread. */
#define COUNTS_NBYTES_MAX (UINT64_C(16) << 20)

enum counted { COUNTED_AC, COUNTED_AN, COUNTED_NS, NCOUNTED };

static const char *const names[NCOUNTED] = {"variant_AC", "variant_AN", "variant_NS"};

/* The number of variants whose stored count differs from the genotypes', and the first of them. */
struct differing {
    uint64_t n, first;
};

struct stored_counts {
    struct zarr_array *array; /* owned; NULL if there is none */
    struct column *column;    /* owned */
    double *values;           /* owned; one variant's */
    uint64_t width;
    /* in rows of chunks that are all stored, and in those where one is not */
    struct differing whole, holed;
};

struct counts {
    const struct vcz *vcz;
    struct decoder *decoder;
    struct stored_counts stored[NCOUNTED];
    uint64_t width;         /* ALTs that are counted */
    bool *is_sample;        /* owned; for each stored column */
    struct call_counts row; /* the counts of the current row of chunks */
    bool stopped;
    /* variants with stored ALT counts above 0 although none of their genotypes is stored */
    struct differing impossible;
};

static void stored_open(struct counts *counts, const char *name, size_t budget,
                        struct stored_counts *out)
{
    struct err ignored = {0};

    if (column_array_open(counts->vcz, name, false, &out->array, &ignored) != 0 ||
        out->array == NULL || column_array_is_string(out->array))
        return;
    out->width = column_array_width(out->array, false);
    out->values = calloc(out->width + 1, sizeof *out->values);
    if (out->values != NULL)
        out->column = column_new(out->array, NULL, 0, counts->decoder, budget, &ignored);
}

static bool can_count(const struct counts *counts)
{
    const struct zarr_meta *meta = &counts->vcz->genotype->meta;

    return (counts->stored[COUNTED_AC].column != NULL ||
            counts->stored[COUNTED_AN].column != NULL ||
            counts->stored[COUNTED_NS].column != NULL) &&
           meta->chunk[2] >= counts->vcz->ploidy && !meta->fortran &&
           meta->chunk[0] <= COUNTS_NBYTES_MAX / sizeof(uint32_t) / (counts->width + 2) &&
           meta->chunk[1] <= UINT32_MAX / 2 && counts->vcz->nsamples <= UINT32_MAX / 2;
}

static int find_samples(struct counts *counts, struct err *err)
{
    const struct vcz *vcz = counts->vcz;

    counts->is_sample = calloc(vcz->nsamples_stored + 1, sizeof *counts->is_sample);
    if (counts->is_sample == NULL || !counts_begin(counts, &counts->row))
        return err_nomem(err, "a check");
    for (uint64_t i = 0; i < vcz->nsamples; i++)
        counts->is_sample[vcz->sample_column[i]] = true;
    return 0;
}

int counts_new(const struct vcz *vcz, size_t scratch_max, struct counts **out, struct err *err)
{
    struct counts *counts = calloc(1, sizeof *counts);
    int rc = -1;

    *out = NULL;
    if (counts == NULL)
        return err_nomem(err, "a check");
    counts->vcz = vcz;
    counts->decoder = decoder_new(scratch_max, err);
    for (unsigned i = 0; i < NCOUNTED && counts->decoder != NULL; i++)
        stored_open(counts, names[i], scratch_max / 4, &counts->stored[i]);
    counts->width = counts->stored[COUNTED_AC].width;
    if (counts->decoder != NULL)
        rc = can_count(counts) ? find_samples(counts, err) : 0;
    if (rc == 0 && counts->is_sample != NULL)
        *out = counts;
    else
        counts_free(counts);
    return rc;
}

void counts_free(struct counts *counts)
{
    if (counts == NULL)
        return;
    for (unsigned i = 0; i < NCOUNTED; i++) {
        column_free(counts->stored[i].column);
        zarr_array_free(counts->stored[i].array);
        free(counts->stored[i].values);
    }
    decoder_free(counts->decoder);
    free(counts->is_sample);
    free(counts->row.values);
    free(counts);
}

bool counts_begin(const struct counts *counts, struct call_counts *out)
{
    out->nrows = counts->vcz->genotype->meta.chunk[0];
    out->values = calloc(out->nrows, (counts->width + 2) * sizeof *out->values);
    return out->values != NULL;
}

static uint32_t *row_values(const struct counts *counts, const struct call_counts *of, uint64_t row)
{
    return of->values + row * (counts->width + 2);
}

void counts_add(const struct counts *counts, const uint64_t *index, const struct call_walk *at,
                struct call_counts *to)
{
    const uint64_t column = index[1] * counts->vcz->genotype->meta.chunk[1] + at->column;
    uint32_t *values = row_values(counts, to, at->row);

    if (at->first)
        *at->has_data = false;
    if (at->allele < 0 || column >= counts->vcz->nsamples_stored || !counts->is_sample[column])
        return;
    if (at->allele > 0 && (uint64_t)at->allele <= counts->width)
        values[at->allele - 1]++;
    values[counts->width]++;
    values[counts->width + 1] += !*at->has_data;
    *at->has_data = true;
}

void counts_add_absent(const struct counts *counts, const uint64_t *index, int64_t allele,
                       struct call_counts *to)
{
    const struct vcz *vcz = counts->vcz;
    const uint64_t length = vcz->genotype->meta.chunk[1];
    const uint64_t n = size_min(length, vcz->nsamples_stored - index[1] * length);
    bool has_data;

    for (uint64_t column = 0; column < n; column++)
        for (unsigned p = 0; p < vcz->ploidy; p++)
            counts_add(counts, index, &(struct call_walk){0, column, allele, p == 0, &has_data},
                       to);
    for (uint64_t row = 1; row < to->nrows; row++)
        memcpy(row_values(counts, to, row), to->values, (counts->width + 2) * sizeof *to->values);
}

static void note(struct differing *differing, uint64_t variant)
{
    if (differing->n++ == 0)
        differing->first = variant;
}

/* True if a stored count differs from what was counted. */
static bool differs(const struct stored_counts *stored, const uint32_t *counted, uint64_t n)
{
    for (uint64_t k = 0; k < n && k < stored->width; k++)
        if (!isnan(stored->values[k]) && stored->values[k] != (double)counted[k])
            return true;
    return false;
}

static bool counts_any(const struct stored_counts *stored)
{
    for (uint64_t k = 0; k < stored->width; k++)
        if (stored->values[k] > 0)
            return true;
    return false;
}

static int compare_variant(struct counts *counts, uint64_t variant, const uint32_t *counted,
                           struct err *err)
{
    const bool holed = counts->row.nabsent > 0;

    for (unsigned i = 0; i < NCOUNTED; i++) {
        struct stored_counts *stored = &counts->stored[i];

        if (stored->column == NULL)
            continue;
        if (column_doubles(stored->column, variant, 1, stored->values, err) != 0)
            return -1;
        if (i == COUNTED_AC && holed && counts->row.nstored == 0 && counts_any(stored))
            note(&counts->impossible, variant);
        if (differs(stored, counted + (i == COUNTED_AC ? 0 : counts->width + i - COUNTED_AN),
                    i == COUNTED_AC ? counts->width : 1))
            note(holed ? &stored->holed : &stored->whole, variant);
    }
    return 0;
}

/* Errors are ignored: an array that cannot be read is reported when it is checked. */
static void compare_row(struct counts *counts, uint64_t vchunk)
{
    const uint64_t first = vchunk * counts->row.nrows;
    const uint64_t n = size_min(counts->row.nrows, counts->vcz->nvariants - first);
    struct err ignored;

    for (uint64_t row = 0; row < n; row++)
        if (compare_variant(counts, first + row, row_values(counts, &counts->row, row), &ignored) !=
            0)
            return;
}

int counts_take(struct counts *counts, const uint64_t *index, struct call_counts *chunk,
                struct err *err)
{
    struct call_counts *row = &counts->row;
    const uint64_t n = row->nrows * (counts->width + 2);

    if (chunk->values == NULL)
        return err_nomem(err, "a check");
    for (uint64_t i = 0; i < n; i++)
        row->values[i] += chunk->values[i];
    row->nstored += chunk->nstored;
    row->nabsent += chunk->nabsent;
    if (index[1] + 1 < counts->vcz->genotype->meta.nchunks[1] || counts->stopped)
        return 0;
    compare_row(counts, index[0]);
    memset(row->values, 0, n * sizeof *row->values);
    row->nstored = row->nabsent = 0;
    return 0;
}

void counts_stop(struct counts *counts)
{
    counts->stopped = true;
}

static void report_lost(const struct differing *differing, const char *name, const char *why,
                        struct problems *problems)
{
    problems_add(problems, "call_genotype", "",
                 "chunks that are not stored cannot be what they read as: %s of %" PRIu64
                 " variant%s (the first: variant %" PRIu64 ") %s; copy or write the store again",
                 name, differing->n, differing->n == 1 ? "" : "s", differing->first, why);
}

static void report_stale(const struct stored_counts *stored, const char *name,
                         struct problems *remarks)
{
    const uint64_t n = stored->whole.n + stored->holed.n;
    const bool holed =
        stored->whole.n == 0 || (stored->holed.n > 0 && stored->holed.first < stored->whole.first);

    problems_add(remarks, name, "",
                 "%" PRIu64
                 " variant%s another value than the genotypes give (the first: variant %" PRIu64
                 ")",
                 n, n == 1 ? " has" : "s have", holed ? stored->holed.first : stored->whole.first);
}

void counts_report(const struct counts *counts, bool fill, struct problems *problems,
                   struct problems *remarks)
{
    for (unsigned i = 0; i < NCOUNTED; i++) {
        const struct stored_counts *stored = &counts->stored[i];

        if (!fill && i == COUNTED_AC && counts->impossible.n > 0)
            report_lost(&counts->impossible, names[i],
                        "counts ALT alleles where no genotypes are stored at all", problems);
        else if (!fill && stored->holed.n > 0 && stored->whole.n == 0)
            report_lost(&stored->holed, names[i],
                        "says otherwise, and is right wherever all chunks are stored", problems);
        else if (stored->holed.n + stored->whole.n > 0)
            report_stale(stored, names[i], remarks);
    }
}
