/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/encode/encode_phase.h"

#include "common/size.h"
#include "encoderd/encode/cell_need.h"
#include "encoderd/encode/phase_cache.h"
#include "encoderd/encode/places.h"

#include <string.h>

/* The state of one cell's walk through its rows. Elements and rows are counted in the chunk. */
struct phase_walk {
    const struct selection *selection;
    struct decoder *decoder;
    struct phase_cache *cache; /* or NULL */
    struct chunk *chunk;
    struct range columns; /* of the chunk */
    struct range places;  /* of the selection, in these columns */
    struct range within;  /* elements of a row, from the first selected one to the last */
    uint64_t block_size, width;
    uint64_t chunk_rows;
    bool have_rows;
    struct phase_key key;
    struct phase_rows rows;
};

static unsigned either(bool yes, bool no)
{
    return (yes ? PHASE_YES : 0) | (no ? PHASE_NO : 0);
}

/* PHASE_ bits of elements [first, first + n) of a plane. A bool that is stored bit-shuffled is in
 * plane 0; its other planes are 0. */
static unsigned plane_phase(const uint8_t *plane, uint64_t first, uint64_t n)
{
    uint64_t any = 0, all = ~UINT64_C(0), word;
    unsigned seen = 0;

    for (; n > 0 && first % 8 != 0; first++, n--)
        seen |= (plane[first / 8] >> first % 8 & 1) != 0 ? PHASE_YES : PHASE_NO;
    plane += first / 8;
    for (; n >= 64; plane += 8, n -= 64) {
        memcpy(&word, plane, sizeof word);
        any |= word;
        all &= word;
    }
    seen |= either(any != 0, all != ~UINT64_C(0));
    for (; n >= 8; plane++, n -= 8)
        seen |= either(*plane != 0, *plane != 0xff);
    for (uint64_t i = 0; i < n; i++)
        seen |= (*plane >> i & 1) != 0 ? PHASE_YES : PHASE_NO;
    return seen;
}

static unsigned bytes_phase(const uint8_t *bytes, uint64_t n)
{
    unsigned seen = 0;

    for (uint64_t i = 0; i < n; i++)
        seen |= bytes[i] != 0 ? PHASE_YES : PHASE_NO;
    return seen;
}

static unsigned run_phase(const struct block *block, uint64_t element, uint64_t n)
{
    const uint64_t first = element - block->begin;

    switch (block->form) {
    case BLOCK_CONSTANT:
        return *block->data != 0 ? PHASE_YES : PHASE_NO;
    case BLOCK_PLANES:
        return plane_phase(block->planes.at, first, n);
    default:
        return bytes_phase(block->data + first, n);
    }
}

/* PHASE_ bits of those selected calls of a row that are in the block. */
static unsigned row_phase(const struct phase_walk *walk, const struct block *block, uint64_t row)
{
    const struct selection *selection = walk->selection;
    const uint64_t at = row * walk->width, block_end = block->begin + block->nbytes;
    const struct range columns = {
        walk->columns.begin + (block->begin > at ? block->begin - at : 0),
        walk->columns.begin + size_min(walk->width, block_end - at),
    };
    const struct range here = columns_places(selection, walk->places, columns);
    unsigned seen = 0;

    if (range_is_empty(here))
        return 0;
    if (selection->contiguous)
        return run_phase(block, at + columns_column(selection, here.begin) - walk->columns.begin,
                         here.end - here.begin);
    for (uint64_t i = here.begin; i < here.end; i++)
        seen |= run_phase(block, at + columns_column(selection, i) - walk->columns.begin, 1);
    return seen;
}

/* A block, or the PHASE_ bits of its rows. */
struct phase_source {
    uint64_t first, end; /* rows that have calls in the block */
    bool known;
    struct phase_block rows; /* if known */
    struct block block;      /* if not */
};

static unsigned source_phase(const struct phase_walk *walk, const struct phase_source *source,
                             uint64_t row)
{
    return source->known ? source->rows.seen[row - source->first]
                         : row_phase(walk, &source->block, row);
}

static int decode_source(struct phase_walk *walk, struct phase_source *source, struct err *err)
{
    const unsigned forms =
        BLOCK_MAY_BE_CONSTANT | (walk->selection->contiguous ? BLOCK_MAY_BE_PLANES : 0);

    return decoder_block_as(walk->decoder, walk->chunk, walk->key.block, forms, &source->block,
                            err);
}

/* Finds the block of the walk's key. It is decoded, unless the cache knows a block that is stored
 * in the same bytes. */
static int find_source(struct phase_walk *walk, struct phase_source *source, struct err *err)
{
    struct phase_block *rows = &source->rows;
    const uint64_t begin = walk->key.block * walk->block_size;
    const uint64_t end = size_min(begin + walk->block_size, chunk_nbytes(walk->chunk));

    *source = (struct phase_source){
        .first = begin / walk->width,
        .end = size_min(walk->chunk_rows, size_div_up(end, walk->width)),
        .rows = {.schunk = walk->key.schunk, .begin = begin},
    };
    if (walk->cache == NULL || source->end - source->first > PHASE_BLOCK_ROWS)
        return decode_source(walk, source, err);
    if (decoder_stored(walk->decoder, walk->chunk, walk->key.block, &rows->as, err) != 0)
        return -1;
    source->known = phase_cache_get_block(walk->cache, rows);
    if (source->known)
        return 0;
    if (decode_source(walk, source, err) != 0)
        return -1;
    for (uint64_t row = source->first; row < source->end; row++)
        rows->seen[row - source->first] = (uint8_t)row_phase(walk, &source->block, row);
    source->known = true;
    if (rows->as.nstored > 0)
        phase_cache_put_block(walk->cache, rows);
    return 0;
}

/* Finds the bits of the key's rows, and puts them into the cache, together with those of the
 * block's later rows. */
static int find_rows(struct phase_walk *walk, struct err *err)
{
    struct phase_key key = walk->key;
    struct phase_source source;

    if (find_source(walk, &source, err) != 0)
        return -1;
    for (; key.first_row < source.end; key.first_row += PHASE_ROWS) {
        struct phase_rows rows = {0};

        for (uint64_t i = 0; i < PHASE_ROWS && key.first_row + i < source.end; i++)
            if (key.first_row + i >= source.first)
                rows.seen[i] = (uint8_t)source_phase(walk, &source, key.first_row + i);
        if (key.first_row == walk->key.first_row)
            walk->rows = rows;
        if (walk->cache == NULL)
            return 0;
        phase_cache_put(walk->cache, &key, &rows);
    }
    return 0;
}

/* Adds the PHASE_ bits of a row's calls in a block, from the cache or from the block. */
static int block_phase(struct phase_walk *walk, uint64_t block, uint64_t row, unsigned *seen,
                       struct err *err)
{
    const uint64_t first_row = row / PHASE_ROWS * PHASE_ROWS;

    if (!walk->have_rows || walk->key.block != block || walk->key.first_row != first_row) {
        walk->key.block = block;
        walk->key.first_row = first_row;
        walk->have_rows = false;
        if ((walk->cache == NULL || !phase_cache_get(walk->cache, &walk->key, &walk->rows)) &&
            find_rows(walk, err) != 0)
            return -1;
        walk->have_rows = true;
    }
    *seen |= walk->rows.seen[row - first_row];
    return 0;
}

static int note_row(struct phase_walk *walk, uint64_t row, uint64_t *note, struct err *err)
{
    const uint64_t at = row * walk->width;
    const uint64_t last = (at + walk->within.end - 1) / walk->block_size;
    unsigned seen = 0;

    for (uint64_t block = (at + walk->within.begin) / walk->block_size; block <= last; block++)
        if (block_phase(walk, block, row, &seen, err) != 0)
            return -1;
    __atomic_fetch_or(note, seen, __ATOMIC_RELAXED);
    return 0;
}

/* False if none of the selected samples is in the cell. */
static bool find_columns(struct phase_walk *walk)
{
    const struct selection *selection = walk->selection;

    walk->places = columns_places(selection, (struct range){0, selection->nsamples}, walk->columns);
    if (range_is_empty(walk->places))
        return false;
    walk->within.begin = columns_column(selection, walk->places.begin) - walk->columns.begin;
    walk->within.end = columns_column(selection, walk->places.end - 1) + 1 - walk->columns.begin;
    return true;
}

static struct phase_walk begin_walk(const struct format_view *format,
                                    const struct encode_cell *cell,
                                    const struct encode_worker *worker)
{
    const struct zarr_array *array = format->selection->vcz->phased;
    const uint64_t chunk_samples = array->meta.chunk[1];

    return (struct phase_walk){
        .selection = format->selection,
        .decoder = worker->decoder,
        .cache = worker->phases,
        .columns = {cell->schunk * chunk_samples, (cell->schunk + 1) * chunk_samples},
        .width = chunk_samples,
        .chunk_rows = array->meta.chunk[0],
        .key = {.vchunk = cell->vchunk, .schunk = cell->schunk},
    };
}

/* Visits the target's rows in the cell, except those of which both phased and unphased calls were
 * seen already. */
static int walk_rows(struct phase_walk *walk, const struct format_view *format,
                     const struct encode_target *target,
                     int (*visit)(struct phase_walk *, uint64_t row, uint64_t *note, void *arg,
                                  struct err *err),
                     void *arg, struct err *err)
{
    const struct row_map *rows = &format->selection->rows;
    const uint64_t first_variant = walk->key.vchunk * walk->chunk_rows;
    struct encode_grid grid;
    struct row_cursor row;

    encode_grid(format, target, &grid);
    row = row_map_from(rows, size_max(grid.row_begin, row_map_lower_bound(rows, 0, first_variant)));
    for (; row.at.index < grid.row_end; row_cursor_next(&row)) {
        uint64_t *note = &target->notes[row.at.index - grid.row_begin].phase_seen;

        if (row.at.variant / walk->chunk_rows != walk->key.vchunk)
            break;
        if (__atomic_load_n(note, __ATOMIC_RELAXED) == (PHASE_YES | PHASE_NO))
            continue;
        if (visit(walk, row.at.variant % walk->chunk_rows, note, arg, err) != 0)
            return -1;
    }
    return 0;
}

static int visit_row(struct phase_walk *walk, uint64_t row, uint64_t *note, void *arg,
                     struct err *err)
{
    const struct zarr_array *array = arg;
    const uint64_t index[2] = {walk->key.vchunk, walk->key.schunk};

    if (walk->chunk == NULL) {
        if (decoder_chunk(walk->decoder, array, index, &walk->chunk, err) != 0)
            return -1;
        walk->block_size = chunk_block_size(walk->chunk);
    }
    return note_row(walk, row, note, err);
}

int encode_phased_cell(const struct format_view *format, const struct encode_target *target,
                       const struct encode_cell *cell, struct encode_worker *worker,
                       struct err *err)
{
    struct phase_walk walk = begin_walk(format, cell, worker);

    if (!find_columns(&walk))
        return 0;
    return walk_rows(&walk, format, target, visit_row, format->selection->vcz->phased, err);
}

/* ---- What a cell needs ---- */

/* Adds the blocks of the row that are not in the cache. */
static int need_row(struct phase_walk *walk, uint64_t row, uint64_t *note, void *arg,
                    struct err *err)
{
    struct blocks_need *blocks = arg;
    const uint64_t at = row * walk->width, first_row = row / PHASE_ROWS * PHASE_ROWS;
    const uint64_t last = (at + walk->within.end - 1) / walk->block_size;

    (void)note;
    for (uint64_t block = (at + walk->within.begin) / walk->block_size; block <= last; block++) {
        if (walk->have_rows && walk->key.block == block && walk->key.first_row == first_row)
            continue;
        walk->key.block = block;
        walk->key.first_row = first_row;
        walk->have_rows = true;
        if (walk->cache == NULL || !phase_cache_get(walk->cache, &walk->key, &walk->rows))
            blocks_need_add(blocks, block, block, err);
    }
    return blocks->answer == NEED_FAILED ? -1 : 0;
}

enum need encode_phased_need(const struct format_view *format, const struct encode_target *target,
                             const struct encode_cell *cell, struct encode_worker *worker,
                             struct cell_need *need, struct err *err)
{
    const struct zarr_array *array = format->selection->vcz->phased;
    const uint64_t index[2] = {cell->vchunk, cell->schunk};
    struct phase_walk walk = begin_walk(format, cell, worker);
    struct blocks_need blocks = {
        .decoder = walk.decoder,
        .forms = BLOCK_MAY_BE_CONSTANT | (walk.selection->contiguous ? BLOCK_MAY_BE_PLANES : 0),
        .need = &need->chunks,
    };
    enum need answer;

    if (!find_columns(&walk))
        return NEED_THERE;
    answer = decoder_need_chunk(walk.decoder, array, index, &need->chunks, &walk.chunk, err);
    if (answer != NEED_THERE)
        return answer;
    blocks.chunk = walk.chunk;
    walk.block_size = chunk_block_size(walk.chunk);
    walk_rows(&walk, format, target, need_row, &blocks, err);
    answer = blocks_need_end(&blocks, err);
    need->nblocks = chunk_is_in_blocks(walk.chunk) ? blocks.nblocks : UINT64_MAX;
    need->nbytes = walk.block_size;
    return answer;
}
