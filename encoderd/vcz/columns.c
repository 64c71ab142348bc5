/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/columns_impl.h"

#include "common/size.h"

#include <stdlib.h>

static void set_axes(struct column *column)
{
    const struct zarr_meta *meta = &column->array->meta;

    column->a = meta->ndim > 1 ? meta->shape[1] : 1;
    column->b = meta->ndim > 2 ? meta->shape[2] : 1;
    column->chunk_rows = meta->chunk[0];
    column->chunk_a = meta->ndim > 1 ? meta->chunk[1] : 1;
    column->chunk_b = meta->ndim > 2 ? meta->chunk[2] : 1;
    column->nchunks_a = (size_t)size_div_up(column->a, column->chunk_a);
    column->nchunks_b = (size_t)size_div_up(column->b, column->chunk_b);
    column->size = column_array_is_string(column->array) ? 0 : meta->dtype.size;
}

struct column *column_new(const struct zarr_array *array, const uint64_t *samples,
                          uint64_t nsamples, struct decoder *decoder, size_t budget,
                          struct err *err)
{
    struct column *column = calloc(1, sizeof *column);
    int rc;

    if (column == NULL) {
        err_nomem(err, "array %s", array->name);
        return NULL;
    }
    column->array = array;
    column->decoder = decoder;
    column->limit = UINT64_MAX;
    set_axes(column);
    rc = column_runs_init(column, samples, nsamples, err);
    column->row_values = (samples != NULL ? nsamples : column->a) * column->b;
    if (rc == 0)
        rc = column->size > 0 ? column_slab_init(column, budget, err)
                              : column_strings_init(column, budget, err);
    if (rc == 0)
        return column;
    column_free(column);
    return NULL;
}

void column_free(struct column *column)
{
    if (column == NULL)
        return;
    for (size_t i = 0; column->strings != NULL && i < column->nchunks_a * column->nchunks_b; i++)
        strings_free(&column->strings[i]);
    free(column->strings);
    free(column->runs);
    free(column->slab);
    free(column);
}

void column_on_absent(struct column *column, column_judge *judge, void *arg)
{
    column->judge = judge;
    column->judge_arg = arg;
}

void column_limit(struct column *column, uint64_t end)
{
    column->limit = end;
}

uint64_t column_chunk_end(const struct column *column, uint64_t variant)
{
    return variant - variant % column->chunk_rows + column->chunk_rows;
}
