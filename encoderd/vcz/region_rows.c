/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/region_rows.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/vcz/columns.h"

#include <stdlib.h>

/* More rows than this, of 48 bytes each, would take more time than they save. */
#define INDEX_ROWS_MAX (UINT64_C(1) << 20)

static bool row_ok(const struct vcz *vcz, const int64_t *row, uint64_t nchunks)
{
    return row[INDEX_CHUNK] >= 0 && (uint64_t)row[INDEX_CHUNK] < nchunks &&
           row[INDEX_CONTIG] >= 0 && (uint64_t)row[INDEX_CONTIG] < vcz->contigs.nitems &&
           row[INDEX_FIRST] >= 0 && row[INDEX_LAST] >= row[INDEX_FIRST] &&
           row[INDEX_MAX_END] >= row[INDEX_LAST] && row[INDEX_COUNT] > 0;
}

/* Checks that the rows of each chunk have as many variants as the chunk. */
static bool index_ok(const struct vcz *vcz, const int64_t *rows, uint64_t nrows, uint64_t *counts,
                     uint64_t nchunks)
{
    const uint64_t chunk = vcz->position->meta.chunk[0];

    for (uint64_t i = 0; i < nrows; i++) {
        const int64_t *row = rows + i * INDEX_WIDTH;

        if (!row_ok(vcz, row, nchunks) ||
            !size_add(counts[row[INDEX_CHUNK]], (uint64_t)row[INDEX_COUNT],
                      &counts[row[INDEX_CHUNK]]))
            return false;
    }
    for (uint64_t c = 0; c < nchunks; c++)
        if (counts[c] != size_min(chunk, vcz->nvariants - c * chunk))
            return false;
    return true;
}

static int read_rows(const struct zarr_array *array, size_t scratch_max, int64_t *rows,
                     struct err *err)
{
    struct decoder *decoder = decoder_new(scratch_max, err);
    struct column *column = NULL;
    int rc = -1;

    if (decoder != NULL)
        column = column_new(array, NULL, 0, decoder, scratch_max, err);
    if (column != NULL)
        rc = column_ints(column, 0, array->meta.shape[0], rows, err);
    column_free(column);
    decoder_free(decoder);
    return rc;
}

/* An index of all variants needs at least one row a chunk; a store may claim any number of
 * chunks. */
static bool shape_ok(const struct vcz *vcz, const struct zarr_meta *meta)
{
    return (meta->dtype.kind == DTYPE_INT || meta->dtype.kind == DTYPE_UINT) && meta->ndim == 2 &&
           meta->shape[1] == INDEX_WIDTH && meta->shape[0] <= INDEX_ROWS_MAX &&
           meta->shape[0] >= vcz->position->meta.nchunks[0];
}

/* Reads the rows; frees them if they contradict themselves or the store. */
static int load_rows(const struct vcz *vcz, const struct zarr_array *array, size_t scratch_max,
                     struct region_rows *out, struct err *err)
{
    const uint64_t nrows = array->meta.shape[0], nchunks = vcz->position->meta.nchunks[0];
    AUTO_FREE uint64_t *counts = calloc(nchunks + 1, sizeof *counts);

    out->rows = calloc(nrows + 1, INDEX_WIDTH * sizeof *out->rows);
    if (out->rows == NULL || counts == NULL)
        return err_nomem(err, "the region index");
    if (read_rows(array, scratch_max, out->rows, err) != 0)
        return -1;
    out->n = nrows;
    if (!index_ok(vcz, out->rows, nrows, counts, nchunks))
        region_rows_free(out);
    return 0;
}

/* A faulty index is not an error, because it only saves work: it is not used. */
static int give_up(const struct err *why, struct err *err)
{
    if (err_is_of_store(why))
        return 0;
    if (err != NULL)
        *err = *why;
    return -1;
}

int region_rows_open(const struct vcz *vcz, size_t scratch_max, struct region_rows *out,
                     struct err *err)
{
    struct zarr_array *array = NULL;
    struct err why = {0};
    int rc = 0;

    *out = (struct region_rows){0};
    if (zarr_array_open(vcz->group, "region_index", &array, &why) != 0)
        return give_up(&why, err);
    if (array == NULL)
        return 0;
    if (shape_ok(vcz, &array->meta))
        rc = load_rows(vcz, array, scratch_max, out, &why);
    zarr_array_free(array);
    if (rc == 0)
        return 0;
    region_rows_free(out);
    return give_up(&why, err);
}

void region_rows_free(struct region_rows *rows)
{
    free(rows->rows);
    *rows = (struct region_rows){0};
}
