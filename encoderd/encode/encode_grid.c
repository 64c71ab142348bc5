/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/encode/encode_grid.h"

/* The chunks of an array (variants, samples, ...) that hold these rows and columns. */
static struct chunk_grid chunks_of(const struct zarr_array *array, const struct row_map *rows,
                                   const struct encode_grid *grid, struct range columns)
{
    const struct zarr_meta *meta = &array->meta;

    return (struct chunk_grid){
        .vchunk_begin = row_map_at(rows, grid->row_begin).variant / meta->chunk[0],
        .vchunk_end = row_map_at(rows, grid->row_end - 1).variant / meta->chunk[0] + 1,
        .schunk_begin = columns.begin / meta->chunk[1],
        .schunk_end = (columns.end - 1) / meta->chunk[1] + 1,
    };
}

void encode_grid(const struct format_view *format, const struct encode_target *target,
                 struct encode_grid *out)
{
    const struct stream_layout *layout = &format->layout;
    const struct selection *selection = format->selection;
    const struct vcz *vcz = selection->vcz;
    struct range samples = {0, selection->nsamples};

    *out = (struct encode_grid){0};
    if (target->end <= layout->header_nbytes)
        return;
    out->row_begin = target->begin <= layout->header_nbytes
                         ? 0
                         : (target->begin - layout->header_nbytes) / layout->row_nbytes;
    out->row_end = size_div_up(target->end - layout->header_nbytes, layout->row_nbytes);
    if (out->row_end - out->row_begin == 1)
        samples = encode_row_samples(format, target, out->row_begin);
    if (samples.begin >= samples.end) {
        out->row_end = out->row_begin;
        return;
    }
    out->genotype =
        chunks_of(vcz->genotype, &selection->rows, out, columns_of_samples(selection, samples));
    if (format->wants_phase && vcz->phased != NULL)
        out->phased =
            chunks_of(vcz->phased, &selection->rows, out, columns_of_samples(selection, samples));
}

uint64_t encode_nnotes(const struct format_view *format, const struct encode_grid *grid)
{
    return format->wants_phase || format->wants_sums ? grid->row_end - grid->row_begin : 0;
}

static uint64_t grid_width(const struct chunk_grid *grid)
{
    return grid->schunk_end - grid->schunk_begin;
}

static uint64_t grid_ncells(const struct chunk_grid *grid)
{
    return (grid->vchunk_end - grid->vchunk_begin) * grid_width(grid);
}

uint64_t encode_ncells(const struct encode_grid *grid)
{
    return grid_ncells(&grid->genotype) + grid_ncells(&grid->phased);
}

struct encode_cell encode_cell_at(const struct encode_grid *grid, uint64_t i)
{
    const uint64_t ngenotype = grid_ncells(&grid->genotype);
    const struct chunk_grid *chunks = i < ngenotype ? &grid->genotype : &grid->phased;
    const uint64_t at = i < ngenotype ? i : i - ngenotype;

    return (struct encode_cell){
        .kind = i < ngenotype ? CELL_GENOTYPE : CELL_PHASED,
        .vchunk = chunks->vchunk_begin + at / grid_width(chunks),
        .schunk = chunks->schunk_begin + at % grid_width(chunks),
    };
}

bool encode_chunks_meet_at_bytes(const struct format_view *format)
{
    const struct selection *selection = format->selection;
    const unsigned per_byte = format->layout.samples_per_byte;

    if (per_byte <= 1)
        return true;
    return selection->contiguous && selection->first_column % per_byte == 0 &&
           selection->vcz->genotype->meta.chunk[1] % per_byte == 0;
}
