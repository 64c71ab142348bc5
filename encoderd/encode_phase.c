#include "encoderd/encode_phase.h"

#include "common/size.h"
#include "encoderd/columns.h"

#include <string.h>

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

/* Are elements [first, first + n) of the block true? A bool that is stored bit-shuffled has all it says
 * in plane 0; any other value than 0 and 1 is left to the plain form. */
static bool planes_all_true(const uint8_t *plane, uint64_t first, uint64_t n)
{
    for (; n > 0 && first % 8 != 0; first++, n--)
        if ((plane[first / 8] >> first % 8 & 1) == 0)
            return false;
    plane += first / 8;
    for (; n >= 8; plane++, n -= 8)
        if (*plane != 0xff)
            return false;
    return (*plane & ((1u << n) - 1)) == (1u << n) - 1;
}

static bool run_is_true(const struct phase_walk *walk, uint64_t element, uint64_t n)
{
    const uint64_t first = element - walk->block.begin;

    if (walk->block.form == BLOCK_PLANES)
        return planes_all_true(walk->block.data, first, n);
    return memchr(walk->block.data + first, 0, n) == NULL;
}

/* Are all selected calls of one row of the chunk phased? `columns` are the chunk's. */
static int row_is_phased(struct phase_walk *walk, uint64_t row_element, struct range columns,
                         bool *phased, struct err *err)
{
    struct range places =
        columns_places(walk->selection, (struct range){0, walk->selection->nsamples}, columns);

    *phased = true;
    while (!range_is_empty(places) && *phased) {
        const uint64_t column = columns_column(walk->selection, places.begin);
        const uint64_t element = row_element + (column - columns.begin);
        struct range here;

        if (need_block(walk, element, err) != 0)
            return -1;
        here = columns_places(
            walk->selection, places,
            (struct range){column,
                           columns.begin + (walk->block.begin + walk->block.nbytes - row_element)});
        if (walk->selection->contiguous)
            *phased = run_is_true(walk, element, here.end - here.begin);
        for (uint64_t i = here.begin; !walk->selection->contiguous && *phased && i < here.end; i++)
            *phased = run_is_true(
                walk, row_element + columns_column(walk->selection, i) - columns.begin, 1);
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
    bool phased;

    encode_grid(format, target, &grid);
    for (uint64_t row =
             size_max(grid.row_begin, rows_lower_bound(rows, cell->vchunk * chunk_variants));
         row < grid.row_end; row++) {
        const uint64_t variant = rows_variant(rows, row);
        uint8_t *unphased = &target->unphased[row - grid.row_begin];

        if (variant / chunk_variants != cell->vchunk)
            break;
        if (__atomic_load_n(unphased, __ATOMIC_RELAXED) != 0)
            continue;
        if (walk.chunk == NULL && decoder_chunk(decoder, array, index, &walk.chunk, err) != 0)
            return -1;
        if (row_is_phased(&walk, variant % chunk_variants * chunk_samples, columns, &phased, err) !=
            0)
            return -1;
        if (!phased)
            __atomic_store_n(unphased, 1, __ATOMIC_RELAXED);
    }
    return 0;
}
