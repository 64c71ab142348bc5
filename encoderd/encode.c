#include "encoderd/encode.h"

#include "common/size.h"
#include "encoderd/columns.h"
#include "encoderd/encode_phase.h"

#include <stdlib.h>
#include <string.h>

/* Calls gathered at a time when samples are not consecutive columns. */
#define GATHER_CALLS 1024

/* One cell's way through its rows. */
struct walk {
    const struct format_view *format;
    const struct selection *selection;
    const struct zarr_array *genotype;
    const struct encode_target *target;
    const struct encode_cell *cell;
    struct decoder *decoder;
    struct chunk *chunk;
    unsigned ploidy, width;  /* alleles a call, bytes an allele */
    uint64_t chunk_variants; /* shape of a chunk */
    uint64_t chunk_samples;
    uint64_t element_begin; /* do elements [element_begin, element_end) only */
    uint64_t element_end;
    uint64_t last_element; /* one past the last that was done */
    bool zero_rows;        /* zero this cell's part of a row before writing to it */
    bool have_block;
    struct block block;
    uint64_t block_begin, block_end; /* elements */
    int8_t alleles[GATHER_CALLS * 2];
};

static uint64_t row_offset(const struct format_view *format, uint64_t row)
{
    return format->layout.header_nbytes + row * format->layout.row_nbytes;
}

/* Calls of one row that a target wants: output samples. */
static struct range row_samples(const struct format_view *format,
                                const struct encode_target *target, uint64_t row)
{
    const struct stream_layout *layout = &format->layout;
    const uint64_t nsamples = format->selection->nsamples;
    const uint64_t at = row_offset(format, row);
    struct range samples = {0, nsamples};

    if (layout->samples_per_byte == 0)
        return samples;
    if (target->begin > at)
        samples.begin = size_min(nsamples, (target->begin - at) * layout->samples_per_byte);
    if (target->end - at < layout->row_nbytes)
        samples.end = size_min(nsamples, (target->end - at) * layout->samples_per_byte);
    return samples;
}

/* The chunks of an array (variants, samples, ...) that hold these rows and columns. */
static struct chunk_grid chunks_of(const struct zarr_array *array, const struct rows *rows,
                                   const struct encode_grid *grid, struct range columns)
{
    const struct zarr_meta *meta = &array->meta;

    return (struct chunk_grid){
        .vchunk_begin = rows_variant(rows, grid->row_begin) / meta->chunk[0],
        .vchunk_end = rows_variant(rows, grid->row_end - 1) / meta->chunk[0] + 1,
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
        samples = row_samples(format, target, out->row_begin);
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

uint64_t encode_nflags(const struct format_view *format, const struct encode_grid *grid)
{
    return format->wants_phase ? grid->row_end - grid->row_begin : 0;
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

/* Do genotype chunks meet at whole output bytes, so that no two cells write to one byte? */
static bool chunks_meet_at_bytes(const struct format_view *format)
{
    const struct selection *selection = format->selection;
    const unsigned per_byte = format->layout.samples_per_byte;

    if (per_byte <= 1)
        return true;
    return selection->contiguous && selection->first_column % per_byte == 0 &&
           selection->vcz->genotype->meta.chunk[1] % per_byte == 0;
}

void encode_begin(const struct format_view *format, const struct encode_target *target)
{
    if (!chunks_meet_at_bytes(format))
        memset(target->out, 0, target->end - target->begin);
    if (target->begin < format->layout.header_nbytes)
        format->format->header(format, target->begin,
                               size_min(target->end, format->layout.header_nbytes), target->out);
}

int encode_worker_init(struct encode_worker *worker, size_t scratch_max, struct err *err)
{
    *worker = (struct encode_worker){.scratch_max = scratch_max};
    worker->decoder = decoder_new(scratch_max, err);
    return worker->decoder == NULL ? -1 : 0;
}

void encode_worker_clear(struct encode_worker *worker)
{
    decoder_free(worker->decoder);
    sites_reader_free(worker->sites);
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
        format, &with_site, target->out + (row_offset(format, facts->row) - target->begin), err);
}

int encode_end(const struct format_view *format, const struct encode_target *target,
               struct encode_worker *worker, struct err *err)
{
    const struct rows *rows = &format->selection->rows;
    const bool phase_known = format->wants_phase && format->selection->vcz->phased != NULL;
    struct encode_grid grid;

    if (format->format->finish_row == NULL)
        return 0;
    encode_grid(format, target, &grid);
    for (uint64_t row = grid.row_begin; row < grid.row_end; row++) {
        const struct row_facts facts = {
            .row = row,
            .variant = rows_variant(rows, row),
            .phased = phase_known && target->unphased[row - grid.row_begin] == 0,
        };

        if (finish_row(format, target, &facts, worker, err) != 0)
            return -1;
    }
    return 0;
}

/* Decodes the block that holds `element`, unless it is the one at hand. */
static int need_block(struct walk *walk, uint64_t element, struct err *err)
{
    uint64_t index;

    if (walk->have_block && element >= walk->block_begin && element < walk->block_end)
        return 0;
    index = element * walk->width / chunk_block_size(walk->chunk);
    walk->have_block = false;
    if (decoder_block(walk->decoder, walk->chunk, index, walk->selection->contiguous, &walk->block,
                      err) != 0)
        return -1;
    walk->block_begin = walk->block.begin / walk->width;
    walk->block_end = (walk->block.begin + walk->block.nbytes) / walk->width;
    walk->have_block = true;
    return 0;
}

static int8_t narrow(int64_t allele)
{
    return allele < INT8_MIN || allele > INT8_MAX ? INT8_MAX : (int8_t)allele;
}

/* Allele `i` of a plain block whose elements are wider than a byte. */
static int8_t wide_allele(const struct walk *walk, uint64_t i)
{
    const uint8_t *at = walk->block.data + i * walk->width;
    int64_t i64;
    int32_t i32;
    int16_t i16;

    switch (walk->width) {
    case 2:
        memcpy(&i16, at, sizeof i16);
        return narrow(i16);
    case 4:
        memcpy(&i32, at, sizeof i32);
        return narrow(i32);
    case 8:
        memcpy(&i64, at, sizeof i64);
        return narrow(i64);
    default:
        return (int8_t)*at;
    }
}

/* Where the format is to write the calls that begin at output sample `sample`. */
static uint8_t *output_at(const struct walk *walk, uint64_t row, uint64_t sample)
{
    const unsigned per_byte = walk->format->layout.samples_per_byte;
    const uint64_t in_row = per_byte == 0 ? 0 : sample / per_byte;

    return walk->target->out + (row_offset(walk->format, row) + in_row - walk->target->begin);
}

static int put(struct walk *walk, struct call_run *run, struct err *err)
{
    return walk->format->format->put(walk->format, run, output_at(walk, run->row, run->sample),
                                     err);
}

/* Calls of consecutive columns, elements [begin, end) of the block at hand. */
static int put_consecutive(struct walk *walk, struct call_run *run, uint64_t begin, uint64_t end,
                           struct err *err)
{
    const uint64_t first = begin - walk->block_begin, n = end - begin;

    if (walk->block.form == BLOCK_PLANES) {
        run->planes = walk->block.data;
        run->plane_nbytes = walk->block.nbytes / 8;
        run->first = first;
        run->ncalls = n / walk->ploidy;
        return put(walk, run, err);
    }
    if (walk->width == 1) {
        run->alleles = (const int8_t *)walk->block.data + first;
        run->ncalls = n / walk->ploidy;
        return put(walk, run, err);
    }
    for (uint64_t done = 0; done < n; done += run->ncalls * walk->ploidy) {
        run->sample += done == 0 ? 0 : run->ncalls;
        run->ncalls = size_min(GATHER_CALLS, (n - done) / walk->ploidy);
        for (uint64_t i = 0; i < run->ncalls * walk->ploidy; i++)
            walk->alleles[i] = wide_allele(walk, first + done + i);
        run->alleles = walk->alleles;
        if (put(walk, run, err) != 0)
            return -1;
    }
    return 0;
}

/* The calls at `places`, whose columns are all in the block at hand, as runs of consecutive output
 * samples. row_element is the element at which column first_column's call begins. */
static int put_gathered(struct walk *walk, struct call_run *run, struct range places,
                        struct range samples, uint64_t row_element, uint64_t first_column,
                        struct err *err)
{
    uint64_t n = 0;

    for (uint64_t i = places.begin; i < places.end; i++) {
        const uint64_t sample = columns_sample(walk->selection, i);
        const uint64_t element =
            row_element + (columns_column(walk->selection, i) - first_column) * walk->ploidy -
            walk->block_begin;

        if (sample < samples.begin || sample >= samples.end)
            continue;
        if (n > 0 && (n == GATHER_CALLS || sample != run->sample + n)) {
            run->ncalls = n;
            if (put(walk, run, err) != 0)
                return -1;
            n = 0;
        }
        if (n == 0)
            run->sample = sample;
        for (unsigned p = 0; p < walk->ploidy; p++)
            walk->alleles[n * walk->ploidy + p] = wide_allele(walk, element + p);
        n++;
    }
    run->ncalls = n;
    return n > 0 ? put(walk, run, err) : 0;
}

static void zero_part(const struct walk *walk, uint64_t row, struct range samples)
{
    const unsigned per_byte = walk->format->layout.samples_per_byte;
    uint8_t *begin = output_at(walk, row, samples.begin);

    memset(begin, 0, size_div_up(samples.end, per_byte) - samples.begin / per_byte);
}

/* The columns of this chunk whose calls in a row lie between the walk's first and last element. */
static struct range walk_columns(const struct walk *walk, uint64_t row_element)
{
    const uint64_t first = walk->cell->schunk * walk->chunk_samples;
    struct range columns = {first, first + walk->chunk_samples};

    if (walk->element_begin > row_element)
        columns.begin += (walk->element_begin - row_element) / walk->ploidy;
    if (walk->element_end - row_element < walk->chunk_samples * walk->ploidy)
        columns.end = first + (walk->element_end - row_element) / walk->ploidy;
    return columns;
}

/* This chunk's calls of one row, block by block. `variant` is the store's. */
static int walk_row(struct walk *walk, uint64_t row, uint64_t variant, struct err *err)
{
    const struct selection *selection = walk->selection;
    const uint64_t first_column = walk->cell->schunk * walk->chunk_samples;
    const uint64_t row_element =
        variant % walk->chunk_variants * walk->chunk_samples * walk->ploidy;
    const struct range samples = row_samples(walk->format, walk->target, row);
    const bool in_order = selection->contiguous || selection->sorted_sample == NULL;
    struct range places =
        columns_places(selection, in_order ? samples : (struct range){0, selection->nsamples},
                       walk_columns(walk, row_element));

    if (walk->zero_rows && !range_is_empty(places))
        zero_part(walk, row, places);
    while (!range_is_empty(places)) {
        struct call_run run = {.row = row,
                               .variant = variant,
                               .sample = places.begin,
                               .ploidy = walk->ploidy,
                               .alleles = walk->alleles};
        const uint64_t column = columns_column(selection, places.begin);
        const uint64_t element = row_element + (column - first_column) * walk->ploidy;
        struct range here;

        if (need_block(walk, element, err) != 0)
            return -1;
        here = columns_places(
            selection, places,
            (struct range){column, first_column + (walk->block_end - row_element) / walk->ploidy});
        walk->last_element =
            row_element +
            (columns_column(selection, here.end - 1) + 1 - first_column) * walk->ploidy;
        if (selection->contiguous
                ? put_consecutive(walk, &run, element, walk->last_element, err)
                : put_gathered(walk, &run, here, samples, row_element, first_column, err))
            return -1;
        places.begin = here.end;
    }
    return 0;
}

/* Rows of the walk's target whose variants are in the cell's chunk, up to element_end. */
static int walk_rows(struct walk *walk, struct err *err)
{
    const struct rows *rows = &walk->selection->rows;
    const uint64_t first_variant = walk->cell->vchunk * walk->chunk_variants;
    struct encode_grid grid;
    uint64_t row;

    encode_grid(walk->format, walk->target, &grid);
    row = size_max(grid.row_begin, rows_lower_bound(rows, first_variant));
    for (; row < grid.row_end; row++) {
        const uint64_t variant = rows_variant(rows, row);

        if (variant - first_variant >= walk->chunk_variants ||
            (variant - first_variant) * walk->chunk_samples * walk->ploidy >= walk->element_end)
            break;
        if (walk_row(walk, row, variant, err) != 0)
            return -1;
    }
    return 0;
}

static void donate(struct walk *walk)
{
    const struct encode_donor *donor = walk->cell->donor;
    struct encode_target to;
    struct err err = {0};
    int failed;

    if (donor == NULL || !walk->have_block || walk->zero_rows ||
        walk->last_element >= walk->block_end || !donor->claim(donor->arg, walk->block_end, &to))
        return;
    walk->target = &to;
    walk->element_begin = walk->last_element;
    walk->element_end = walk->block_end;
    failed = walk_rows(walk, &err);
    donor->done(donor->arg, failed ? &err : NULL);
}

static int check_block_size(const struct walk *walk, struct err *err)
{
    if (chunk_nblocks(walk->chunk) > 1 &&
        chunk_block_size(walk->chunk) % (walk->width * walk->ploidy) != 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "its blocks of %llu bytes split calls of %u bytes; rewrite the array with "
                       "another block size",
                       (unsigned long long)chunk_block_size(walk->chunk),
                       walk->width * walk->ploidy);
    return 0;
}

static int genotype_cell(const struct format_view *format, const struct encode_target *target,
                         const struct encode_cell *cell, struct decoder *decoder, struct err *err)
{
    const struct vcz *vcz = format->selection->vcz;
    const uint64_t index[3] = {cell->vchunk, cell->schunk, 0};
    struct walk walk = {
        .format = format,
        .selection = format->selection,
        .genotype = vcz->genotype,
        .target = target,
        .cell = cell,
        .decoder = decoder,
        .ploidy = vcz->ploidy,
        .width = vcz->genotype->meta.dtype.size,
        .chunk_variants = vcz->genotype->meta.chunk[0],
        .chunk_samples = vcz->genotype->meta.chunk[1],
        .element_begin = cell->first_element,
        .element_end = UINT64_MAX,
    };

    if (decoder_chunk(decoder, vcz->genotype, index, &walk.chunk, err) != 0)
        return -1;
    if (check_block_size(&walk, err) != 0) {
        char key[ZARR_KEY_MAX];

        zarr_chunk_key(vcz->genotype, index, key);
        return err_prefix(err, "%s (%s)", key, store_path(vcz->store));
    }
    if (format->layout.samples_per_byte > 1 && chunks_meet_at_bytes(format))
        walk.zero_rows = chunk_nblocks(walk.chunk) > 1 && chunk_block_size(walk.chunk) /
                                                                  (walk.width * walk.ploidy) %
                                                                  format->layout.samples_per_byte !=
                                                              0;
    if (walk_rows(&walk, err) != 0)
        return -1;
    donate(&walk);
    return 0;
}

int encode_cell(const struct format_view *format, const struct encode_target *target,
                const struct encode_cell *cell, struct encode_worker *worker, struct err *err)
{
    if (cell->kind == CELL_PHASED)
        return encode_phased_cell(format, target, cell, worker->decoder, err);
    return genotype_cell(format, target, cell, worker->decoder, err);
}

static int encode_cells(const struct format_view *format, const struct encode_target *target,
                        const struct encode_grid *grid, struct encode_worker *worker,
                        struct err *err)
{
    encode_begin(format, target);
    for (uint64_t i = 0; i < encode_ncells(grid); i++) {
        const struct encode_cell cell = encode_cell_at(grid, i);

        if (encode_cell(format, target, &cell, worker, err) != 0)
            return -1;
    }
    return encode_end(format, target, worker, err);
}

int encode_target(const struct format_view *format, const struct encode_target *target,
                  struct encode_worker *worker, struct err *err)
{
    struct encode_target with_flags = *target;
    struct encode_grid grid;
    uint64_t nflags;
    int result;

    encode_grid(format, target, &grid);
    nflags = encode_nflags(format, &grid);
    with_flags.unphased = nflags > 0 ? calloc(nflags, 1) : NULL;
    if (nflags > 0 && with_flags.unphased == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    result = encode_cells(format, &with_flags, &grid, worker, err);
    free(with_flags.unphased);
    return result;
}
