#include "encoderd/encode.h"

#include "common/size.h"
#include "encoderd/encode_genotype.h"
#include "encoderd/encode_phase.h"
#include "encoderd/places.h"

#include <stdlib.h>
#include <string.h>

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

void encode_begin(const struct format_view *format, const struct encode_target *target)
{
    if (!encode_chunks_meet_at_bytes(format))
        memset(target->out, 0, target->end - target->begin);
    if (target->begin < format->layout.header_nbytes)
        format->format->header(format, target->begin,
                               size_min(target->end, format->layout.header_nbytes), target->out);
}

int encode_worker_init(struct encode_worker *worker, size_t scratch_max, struct cache *cache,
                       struct err *err)
{
    *worker = (struct encode_worker){.scratch_max = scratch_max, .cache = cache};
    worker->decoder = decoder_new(scratch_max, err);
    if (worker->decoder == NULL)
        return -1;
    decoder_set_cache(worker->decoder, cache);
    return 0;
}

void encode_worker_clear(struct encode_worker *worker)
{
    decoder_free(worker->decoder);
    decoder_free(worker->second);
    sites_reader_free(worker->sites);
    free(worker->subset);
    *worker = (struct encode_worker){0};
}

static int finish_row(const struct format_view *format, const struct encode_target *target,
                      const struct row_facts *facts, struct encode_worker *worker, struct err *err)
{
    struct row_facts with_site = *facts;
    struct site site;

    if (format->wants_sites) {
        if (worker->sites == NULL)
            worker->sites = sites_reader_new(format->selection->vcz, worker->scratch_max, err);
        if (worker->sites == NULL || sites_get(worker->sites, facts->variant, &site, err) != 0)
            return -1;
        with_site.site = &site;
    }
    return format->format->finish_row(
        format, &with_site, target->out + (encode_row_offset(format, facts->row) - target->begin),
        err);
}

int encode_end(const struct format_view *format, const struct encode_target *target,
               struct encode_worker *worker, struct err *err)
{
    const bool phase_known = format->wants_phase && format->selection->vcz->phased != NULL;
    struct encode_grid grid;
    struct row_cursor row;

    if (format->format->finish_row == NULL)
        return 0;
    encode_grid(format, target, &grid);
    row = row_map_from(&format->selection->rows, grid.row_begin);
    for (; row.at.index < grid.row_end; row_cursor_next(&row)) {
        const struct row_notes *notes =
            target->notes == NULL ? NULL : &target->notes[row.at.index - grid.row_begin];
        const struct row_facts facts = {
            .row = row.at.index,
            .variant = row.at.variant,
            .phased = phase_known && notes->phase_seen == PHASE_YES,
            .sums = notes == NULL ? NULL : &notes->sums,
        };

        if (phase_known && notes->phase_seen == (PHASE_YES | PHASE_NO)) {
            worker->nmixed++;
            worker->last_mixed = facts.variant;
        }

        if (finish_row(format, target, &facts, worker, err) != 0)
            return -1;
    }
    return 0;
}

static int run_cell(const struct format_view *format, const struct encode_target *target,
                    const struct encode_cell *cell, struct encode_worker *worker, struct err *err)
{
    switch (cell->kind) {
    case CELL_PHASED:
        return encode_phased_cell(format, target, cell, worker, err);
    case CELL_END:
        return encode_end(format, target, worker, err);
    default:
        return encode_genotype_cell(format, target, cell, worker, err);
    }
}

int encode_cell(const struct format_view *format, const struct encode_target *target,
                const struct encode_cell *cell, struct encode_worker *worker,
                const struct cell_need *need, struct err *err)
{
    const int failed = run_cell(format, target, cell, worker, err);

    (void)need;
    decoder_rest(worker->decoder);
    if (worker->second != NULL)
        decoder_rest(worker->second);
    return failed;
}

static int encode_cells(const struct format_view *format, const struct encode_target *target,
                        const struct encode_grid *grid, struct encode_worker *worker,
                        struct err *err)
{
    encode_begin(format, target);
    for (uint64_t i = 0; i < encode_ncells(grid); i++) {
        const struct encode_cell cell = encode_cell_at(grid, i);

        if (encode_cell(format, target, &cell, worker, NULL, err) != 0)
            return -1;
    }
    return encode_end(format, target, worker, err);
}

int encode_target(const struct format_view *format, const struct encode_target *target,
                  struct encode_worker *worker, struct err *err)
{
    struct encode_target with_notes = *target;
    struct encode_grid grid;
    uint64_t nnotes;
    int result;

    encode_grid(format, target, &grid);
    nnotes = encode_nnotes(format, &grid);
    with_notes.notes = nnotes > 0 ? calloc(nnotes, sizeof *with_notes.notes) : NULL;
    if (nnotes > 0 && with_notes.notes == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    result = encode_cells(format, &with_notes, &grid, worker, err);
    free(with_notes.notes);
    return result;
}
