/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/columns_impl.h"

#include "common/size.h"

#include <inttypes.h>
#include <stdlib.h>

/* The most bytes of numbers that are held as stored, if more than one variant fits. */
#define SLAB_NBYTES_MAX ((size_t)8 << 20)

int column_slab_init(struct column *column, size_t budget, struct err *err)
{
    uint64_t row = column->row_values * column->size;

    column->slab_rows =
        row > 0 ? size_max(1, size_min(budget, SLAB_NBYTES_MAX) / row) : column->chunk_rows;
    column->slab_rows = size_min(column->slab_rows, column->chunk_rows);
    column->slab = calloc(column->slab_rows, row > 0 ? row : 1);
    if (column->slab == NULL)
        return err_nomem(err, "array %s", column->array->name);
    return 0;
}

/* One of the chunks in a row of chunks. */
struct part {
    uint64_t a, b;               /* chunk numbers */
    uint64_t row;                /* the slab's first row, counted in the chunk */
    size_t runs_begin, runs_end; /* the runs that overlap it */
};

/* Copies those elements [begin, end) of the chunk, which are in `data`, that belong to one run of
 * one row. */
static void copy_run(struct column *column, const struct part *part, const struct run *run,
                     uint64_t row, const uint8_t *data, uint64_t begin, uint64_t end)
{
    const size_t size = column->size;
    const uint64_t first_b = part->b * column->chunk_b;
    const uint64_t nb = size_min(column->chunk_b, column->b - first_b);
    const uint64_t row_element = row * column->chunk_a * column->chunk_b;
    uint8_t *out = column->slab + (row - part->row) * column->row_values * size;

    for (uint64_t i = 0; i < run->n; i++) {
        uint64_t at = row_element + (run->column - part->a * column->chunk_a + i) * column->chunk_b;
        uint64_t from = size_max(at, begin), to = size_min(at + nb, end);

        if (from < to)
            memcpy(out + ((run->place + i) * column->b + first_b + (from - at)) * size,
                   data + (from - begin) * size, (to - from) * size);
    }
}

/* The same for a run whose elements are consecutive in chunk and slab. */
static void copy_whole_run(struct column *column, const struct part *part, const struct run *run,
                           uint64_t row, const uint8_t *data, uint64_t begin, uint64_t end)
{
    const size_t size = column->size;
    const uint64_t at =
        (row * column->chunk_a + run->column - part->a * column->chunk_a) * column->chunk_b;
    const uint64_t from = size_max(at, begin), to = size_min(at + run->n * column->b, end);
    uint8_t *out = column->slab + (row - part->row) * column->row_values * size;

    if (from < to)
        memcpy(out + (run->place * column->b + (from - at)) * size, data + (from - begin) * size,
               (to - from) * size);
}

static void copy_block(struct column *column, const struct part *part, uint64_t row_end,
                       const struct block *block)
{
    const uint64_t row_elements = column->chunk_a * column->chunk_b;
    const uint64_t begin = block->begin / column->size, end = begin + block->nbytes / column->size;
    const uint64_t first = size_max(part->row, begin / row_elements);
    const uint64_t last = size_min(row_end, size_div_up(end, row_elements));
    const uint64_t first_a = part->a * column->chunk_a;

    for (uint64_t row = first; row < last; row++)
        for (size_t i = part->runs_begin; i < part->runs_end; i++) {
            struct run run;

            if (!column_run_clip(&column->runs[i], first_a, first_a + column->chunk_a, &run))
                continue;
            if (column->chunk_b == column->b)
                copy_whole_run(column, part, &run, row, block->data, begin, end);
            else
                copy_run(column, part, &run, row, block->data, begin, end);
        }
}

static int load_part(struct column *column, const struct part *part, uint64_t vchunk,
                     uint64_t row_end, struct err *err)
{
    const uint64_t index[ZARR_DIMS_MAX] = {vchunk, part->a, part->b};
    const uint64_t row_nbytes = column->chunk_a * column->chunk_b * column->size;
    struct chunk *chunk;
    struct block block;
    uint64_t first, last;

    if (decoder_chunk(column->decoder, column->array, index, &chunk, err) != 0)
        return -1;
    if (chunk_is_absent(chunk) && column->judge != NULL &&
        column->judge(column->judge_arg, vchunk, err) != 0)
        return -1;
    first = part->row * row_nbytes / chunk_block_size(chunk);
    last =
        size_min(chunk_nblocks(chunk), size_div_up(row_end * row_nbytes, chunk_block_size(chunk)));
    for (uint64_t i = first; i < last; i++) {
        if (decoder_block(column->decoder, chunk, i, false, &block, err) != 0)
            return -1;
        copy_block(column, part, row_end, &block);
    }
    return 0;
}

/* Makes the slab begin at `variant`. */
static int load_slab(struct column *column, uint64_t variant, struct err *err)
{
    const uint64_t vchunk = variant / column->chunk_rows, first = vchunk * column->chunk_rows;
    uint64_t end = size_min(variant + column->slab_rows, first + column->chunk_rows);

    end = size_min(end, column->array->meta.shape[0]);
    if (column->limit > variant)
        end = size_min(end, column->limit);
    column->begin = column->end = 0;
    for (uint64_t a = 0; a < column->nchunks_a; a++) {
        struct part part = {.a = a, .row = variant - first};

        if (!column_runs_find(column, a, &part.runs_begin, &part.runs_end))
            continue;
        for (part.b = 0; part.b < column->nchunks_b; part.b++)
            if (load_part(column, &part, vchunk, end - first, err) != 0)
                return column_name_store(column, err);
    }
    column->begin = variant;
    column->end = end;
    return 0;
}

int column_slab_rows(struct column *column, uint64_t variant, uint64_t n, const uint8_t **data,
                     uint64_t *nrows, struct err *err)
{
    if (variant >= column->array->meta.shape[0])
        return err_set(err, ERR_USAGE, "array %s has no variant %" PRIu64, column->array->name,
                       variant);
    if ((variant < column->begin || variant >= column->end) && load_slab(column, variant, err) != 0)
        return -1;
    *data = column->slab + (variant - column->begin) * column->row_values * column->size;
    *nrows = size_min(n, column->end - variant);
    return 0;
}
