/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/columns_impl.h"

#include "common/size.h"

#include <inttypes.h>
#include <stdlib.h>

/* The number of chunks that hold wanted values of one variant. */
static size_t wanted_chunks(const struct column *column)
{
    size_t n = 0, begin, end;

    for (uint64_t a = 0; a < column->nchunks_a; a++)
        n += column_runs_find(column, a, &begin, &end) ? column->nchunks_b : 0;
    return n;
}

/* A column gets a fourth of the budget, because a selection may use several columns of strings. */
int column_strings_init(struct column *column, size_t budget, struct err *err)
{
    const size_t n = column->nchunks_a * column->nchunks_b;

    column->strings_budget = budget / 4 / (wanted_chunks(column) + 1);
    column->strings = calloc(n + 1, sizeof *column->strings);
    if (column->strings == NULL)
        return err_nomem(err, "array %s", column->array->name);
    return 0;
}

/* Loads rows [row, row + n) of one chunk, unless they are loaded already. A single row is loaded
 * however much memory it takes. */
static int load_strings(struct column *column, const uint64_t *index, uint64_t row, uint64_t n,
                        bool same, struct strings *strings, struct err *err)
{
    const uint64_t width = column->chunk_a * column->chunk_b;

    if (same && strings_hold(strings, row * width, n * width))
        return 0;
    if (zarr_chunk_strings_at(column->decoder, column->array, index, row * width, width,
                              column->strings_budget, strings, err) != 0)
        return column_name_store(column, err);
    if (!strings_hold(strings, row * width, n * width))
        return err_set(err, ERR_BUDGET,
                       "%s: array %s: the strings of %" PRIu64
                       " variants do not fit the memory budget; give more with --memory",
                       store_path(column->array->store), column->array->name, n);
    return 0;
}

/* Loads rows [row, row + n) of all wanted chunks. */
static int load_rows(struct column *column, uint64_t vchunk, uint64_t row, uint64_t n,
                     struct err *err)
{
    const bool same = column->loaded && column->chunk == vchunk;

    column->loaded = false;
    for (uint64_t a = 0; a < column->nchunks_a; a++) {
        size_t runs_begin, runs_end;

        if (!column_runs_find(column, a, &runs_begin, &runs_end))
            continue;
        for (uint64_t b = 0; b < column->nchunks_b; b++) {
            const uint64_t index[ZARR_DIMS_MAX] = {vchunk, a, b};

            if (load_strings(column, index, row, n, same,
                             &column->strings[a * column->nchunks_b + b], err) != 0)
                return -1;
        }
    }
    column->loaded = true;
    column->chunk = vchunk;
    return 0;
}

static struct str string_at(const struct column *column, uint64_t row, uint64_t a, uint64_t b)
{
    const struct strings *strings =
        &column->strings[a / column->chunk_a * column->nchunks_b + b / column->chunk_b];

    return strings->items[(row * column->chunk_a + a % column->chunk_a) * column->chunk_b +
                          b % column->chunk_b - strings->first];
}

int column_strings(struct column *column, uint64_t begin, uint64_t n, struct str *out,
                   struct err *err)
{
    const uint64_t vchunk = begin / column->chunk_rows;

    if (column->size != 0)
        return err_set(err, ERR_DATA, "array %s holds no strings", column->array->name);
    if (n == 0)
        return 0;
    if (begin % column->chunk_rows + n > column->chunk_rows ||
        begin + n > column->array->meta.shape[0])
        return err_set(err, ERR_USAGE, "array %s: variants of two chunks at once",
                       column->array->name);
    if (load_rows(column, vchunk, begin % column->chunk_rows, n, err) != 0)
        return -1;
    for (uint64_t row = begin % column->chunk_rows, last = row + n; row < last; row++) {
        for (size_t r = 0; r < column->nruns; r++)
            for (uint64_t i = 0; i < column->runs[r].n; i++)
                for (uint64_t b = 0; b < column->b; b++)
                    out[(column->runs[r].place + i) * column->b + b] =
                        string_at(column, row, column->runs[r].column + i, b);
        out += column->row_values;
    }
    return 0;
}
