/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/columns_impl.h"

#include "common/size.h"

#include <inttypes.h>
#include <stdlib.h>

struct wanted {
    uint64_t column, place;
};

static int compare_wanted(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;

    return (x->column > y->column) - (x->column < y->column);
}

static int make_runs(struct column *column, const uint64_t *samples, uint64_t nsamples,
                     struct err *err)
{
    struct wanted *wanted = calloc(nsamples + 1, sizeof *wanted);

    column->runs = calloc(nsamples + 1, sizeof *column->runs);
    if (wanted == NULL || column->runs == NULL) {
        free(wanted);
        return err_nomem(err, "%" PRIu64 " samples", nsamples);
    }
    for (uint64_t i = 0; i < nsamples; i++)
        wanted[i] = (struct wanted){.column = samples[i], .place = i};
    qsort(wanted, nsamples, sizeof *wanted, compare_wanted);
    for (uint64_t i = 0; i < nsamples; i++) {
        struct run *last = column->nruns > 0 ? &column->runs[column->nruns - 1] : NULL;

        if (last != NULL && wanted[i].column == last->column + last->n &&
            wanted[i].place == last->place + last->n)
            last->n++;
        else
            column->runs[column->nruns++] =
                (struct run){.column = wanted[i].column, .place = wanted[i].place, .n = 1};
    }
    free(wanted);
    return 0;
}

int column_runs_init(struct column *column, const uint64_t *samples, uint64_t nsamples,
                     struct err *err)
{
    if (samples != NULL)
        return make_runs(column, samples, nsamples, err);
    column->runs = calloc(1, sizeof *column->runs);
    if (column->runs == NULL)
        return err_nomem(err, "the samples of a chunk");
    column->runs[column->nruns++] = (struct run){.n = column->a};
    return 0;
}

bool column_runs_find(const struct column *column, uint64_t chunk_a, size_t *begin, size_t *end)
{
    const uint64_t first = chunk_a * column->chunk_a, last = first + column->chunk_a;
    size_t low = 0, high = column->nruns;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (column->runs[middle].column + column->runs[middle].n <= first)
            low = middle + 1;
        else
            high = middle;
    }
    *begin = low;
    while (low < column->nruns && column->runs[low].column < last)
        low++;
    *end = low;
    return *begin < *end;
}

bool column_run_clip(const struct run *run, uint64_t begin, uint64_t end, struct run *out)
{
    uint64_t first = size_max(run->column, begin), last = size_min(run->column + run->n, end);

    if (first >= last)
        return false;
    *out = (struct run){
        .column = first, .place = run->place + (first - run->column), .n = last - first};
    return true;
}
