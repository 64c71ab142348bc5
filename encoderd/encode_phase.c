#include "encoderd/encode_phase.h"

#include "common/size.h"
#include "encoderd/columns.h"

struct phase_walk {
    const struct selection *selection;
    struct decoder *decoder;
    struct chunk *chunk;
    bool have_block;
    struct block block;
};

static int need_block(struct phase_walk *walk, uint64_t element, struct err *err)
{
    if (walk->have_block && element >= walk->block.begin &&
        element < walk->block.begin + walk->block.nbytes)
        return 0;
    walk->have_block = false;
    if (decoder_block(walk->decoder, walk->chunk, element / chunk_block_size(walk->chunk),
                      walk->selection->contiguous, &walk->block, err) != 0)
        return -1;
    walk->have_block = true;
    return 0;
}

/* What elements [first, first + n) of a plane are: PHASE_ bits. A bool that is stored bit-shuffled has all
 * it says in plane 0. */
static unsigned plane_phase(const uint8_t *plane, uint64_t first, uint64_t n)
{
    unsigned seen = 0;

    for (; n > 0 && first % 8 != 0; first++, n--)
        seen |= (plane[first / 8] >> first % 8 & 1) != 0 ? PHASE_YES : PHASE_NO;
    plane += first / 8;
    for (; n >= 8; plane++, n -= 8)
        seen |= (*plane != 0 ? PHASE_YES : 0) | (*plane != 0xff ? PHASE_NO : 0);
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

static unsigned run_phase(const struct phase_walk *walk, uint64_t element, uint64_t n)
{
    const uint64_t first = element - walk->block.begin;

    return walk->block.form == BLOCK_PLANES ? plane_phase(walk->block.data, first, n)
                                            : bytes_phase(walk->block.data + first, n);
}

/* What the selected calls of one row of the chunk are; `columns` are the chunk's. */
static int row_phase(struct phase_walk *walk, uint64_t row_element, struct range columns,
                     unsigned *seen, struct err *err)
{
    const struct selection *selection = walk->selection;
    struct range places =
        columns_places(selection, (struct range){0, selection->nsamples}, columns);

    *seen = 0;
    while (!range_is_empty(places)) {
        const uint64_t column = columns_column(selection, places.begin);
        const uint64_t element = row_element + (column - columns.begin);
        uint64_t block_columns;
        struct range here;

        if (need_block(walk, element, err) != 0)
            return -1;
        block_columns = walk->block.begin + walk->block.nbytes - row_element;
        here = columns_places(selection, places,
                              (struct range){column, columns.begin + block_columns});
        if (selection->contiguous)
            *seen |= run_phase(walk, element, here.end - here.begin);
        for (uint64_t i = here.begin; !selection->contiguous && i < here.end; i++)
            *seen |= run_phase(walk, row_element + columns_column(selection, i) - columns.begin, 1);
        places.begin = here.end;
    }
    return 0;
}

int encode_phased_cell(const struct format_view *format, const struct encode_target *target,
                       const struct encode_cell *cell, struct decoder *decoder, struct err *err)
{
    const struct zarr_array *array = format->selection->vcz->phased;
    const struct rows *rows = &format->selection->rows;
    const uint64_t chunk_variants = array->meta.chunk[0], chunk_samples = array->meta.chunk[1];
    const uint64_t index[2] = {cell->vchunk, cell->schunk};
    const struct range columns = {cell->schunk * chunk_samples, (cell->schunk + 1) * chunk_samples};
    struct phase_walk walk = {.selection = format->selection, .decoder = decoder};
    struct encode_grid grid;
    unsigned seen;

    encode_grid(format, target, &grid);
    for (uint64_t row =
             size_max(grid.row_begin, rows_lower_bound(rows, cell->vchunk * chunk_variants));
         row < grid.row_end; row++) {
        const uint64_t variant = rows_variant(rows, row);
        uint64_t *flags = &target->notes[row - grid.row_begin].phase_seen;

        if (variant / chunk_variants != cell->vchunk)
            break;
        if (__atomic_load_n(flags, __ATOMIC_RELAXED) == (PHASE_YES | PHASE_NO))
            continue;
        if (walk.chunk == NULL && decoder_chunk(decoder, array, index, &walk.chunk, err) != 0)
            return -1;
        if (row_phase(&walk, variant % chunk_variants * chunk_samples, columns, &seen, err) != 0)
            return -1;
        __atomic_fetch_or(flags, seen, __ATOMIC_RELAXED);
    }
    return 0;
}
