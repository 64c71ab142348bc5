#include "encoderd/encode.h"

#include "common/size.h"

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

/* Calls of one row that a target wants: output samples [begin, end). */
struct window {
    uint64_t begin, end;
};

static uint64_t row_offset(const struct format_view *format, uint64_t row)
{
    return format->layout.header_nbytes + row * format->layout.row_nbytes;
}

static struct window row_window(const struct format_view *format,
                                const struct encode_target *target, uint64_t row)
{
    const struct stream_layout *layout = &format->layout;
    const uint64_t nsamples = format->selection->nsamples;
    const uint64_t at = row_offset(format, row);
    struct window window = {0, nsamples};

    if (layout->samples_per_byte == 0)
        return window;
    if (target->begin > at)
        window.begin = size_min(nsamples, (target->begin - at) * layout->samples_per_byte);
    if (target->end - at < layout->row_nbytes)
        window.end = size_min(nsamples, (target->end - at) * layout->samples_per_byte);
    return window;
}

/* The columns of call_genotype that a window touches, from the first to the last. */
static struct window window_columns(const struct selection *selection, struct window samples)
{
    if (selection->contiguous)
        return (struct window){selection->first_column + samples.begin,
                               selection->first_column + samples.end};
    return (struct window){selection->sample_column[samples.begin],
                           selection->sample_column[samples.end - 1] + 1};
}

void encode_grid(const struct format_view *format, const struct encode_target *target,
                 struct encode_grid *out)
{
    const struct stream_layout *layout = &format->layout;
    const struct zarr_meta *meta = &format->selection->vcz->genotype->meta;
    const struct rows *rows = &format->selection->rows;
    struct window columns, samples;

    *out = (struct encode_grid){0};
    if (target->end <= layout->header_nbytes)
        return;
    out->row_begin = target->begin <= layout->header_nbytes
                         ? 0
                         : (target->begin - layout->header_nbytes) / layout->row_nbytes;
    out->row_end = size_div_up(target->end - layout->header_nbytes, layout->row_nbytes);
    out->vchunk_begin = rows_variant(rows, out->row_begin) / meta->chunk[0];
    out->vchunk_end = rows_variant(rows, out->row_end - 1) / meta->chunk[0] + 1;
    samples = out->row_end - out->row_begin == 1 ? row_window(format, target, out->row_begin)
                                                 : (struct window){0, format->selection->nsamples};
    if (samples.begin >= samples.end) {
        out->row_end = out->row_begin;
        return;
    }
    columns = window_columns(format->selection, samples);
    out->schunk_begin = columns.begin / meta->chunk[1];
    out->schunk_end = (columns.end - 1) / meta->chunk[1] + 1;
}

uint64_t encode_grid_ncells(const struct encode_grid *grid)
{
    if (grid->row_begin == grid->row_end)
        return 0;
    return (grid->vchunk_end - grid->vchunk_begin) * (grid->schunk_end - grid->schunk_begin);
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
    uint8_t header[FORMAT_HEADER_MAX];

    if (!chunks_meet_at_bytes(format))
        memset(target->out, 0, target->end - target->begin);
    if (target->begin < format->layout.header_nbytes) {
        format->format->header(format, header);
        memcpy(target->out, header + target->begin,
               size_min(target->end, format->layout.header_nbytes) - target->begin);
    }
}

int encode_end(const struct format_view *format, const struct encode_target *target,
               struct err *err)
{
    struct encode_grid grid;

    if (format->format->finish_row == NULL)
        return 0;
    encode_grid(format, target, &grid);
    for (uint64_t row = grid.row_begin; row < grid.row_end; row++)
        if (format->format->finish_row(
                format, row, target->out + (row_offset(format, row) - target->begin), err) != 0)
            return -1;
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

/* Output samples [window.begin, window.end), whose columns are all in the block at hand. row_element
 * is the element at which column 0 of this chunk's row begins; first_column the chunk's first. */
static int put_gathered(struct walk *walk, struct call_run *run, struct window window,
                        uint64_t row_element, uint64_t first_column, struct err *err)
{
    const uint64_t *columns = walk->selection->sample_column;

    for (uint64_t s = window.begin; s < window.end; s += run->ncalls) {
        run->sample = s;
        run->ncalls = size_min(GATHER_CALLS, window.end - s);
        for (uint64_t i = 0; i < run->ncalls; i++) {
            const uint64_t element =
                row_element + (columns[s + i] - first_column) * walk->ploidy - walk->block_begin;
            for (unsigned p = 0; p < walk->ploidy; p++)
                walk->alleles[i * walk->ploidy + p] = wide_allele(walk, element + p);
        }
        run->alleles = walk->alleles;
        if (put(walk, run, err) != 0)
            return -1;
    }
    return 0;
}

/* The first of the ascending columns [begin, end) that is >= column. */
static uint64_t column_lower_bound(const uint64_t *columns, uint64_t begin, uint64_t end,
                                   uint64_t column)
{
    while (begin < end) {
        const uint64_t middle = begin + (end - begin) / 2;

        if (columns[middle] < column)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/* Output samples of `window` whose columns lie in [begin, end). */
static struct window clip_to_columns(const struct selection *selection, struct window window,
                                     uint64_t begin, uint64_t end)
{
    const uint64_t first = selection->first_column;

    if (selection->contiguous) {
        window.begin = size_max(window.begin, begin > first ? begin - first : 0);
        window.end = size_min(window.end, end > first ? end - first : 0);
        return window;
    }
    return (struct window){
        column_lower_bound(selection->sample_column, window.begin, window.end, begin),
        column_lower_bound(selection->sample_column, window.begin, window.end, end)};
}

static void zero_part(const struct walk *walk, uint64_t row, struct window window)
{
    const unsigned per_byte = walk->format->layout.samples_per_byte;
    uint8_t *begin = output_at(walk, row, window.begin);

    memset(begin, 0, size_div_up(window.end, per_byte) - window.begin / per_byte);
}

/* This chunk's calls of one row, block by block. `variant` is the store's. */
static int walk_row(struct walk *walk, uint64_t row, uint64_t variant, struct err *err)
{
    const uint64_t first_column = walk->cell->schunk * walk->chunk_samples;
    const uint64_t row_element =
        variant % walk->chunk_variants * walk->chunk_samples * walk->ploidy;
    const uint64_t skip =
        walk->element_begin > row_element ? (walk->element_begin - row_element) / walk->ploidy : 0;
    const uint64_t stop =
        walk->element_end > row_element
            ? size_min(walk->chunk_samples, (walk->element_end - row_element) / walk->ploidy)
            : 0;
    struct window all =
        clip_to_columns(walk->selection, row_window(walk->format, walk->target, row),
                        first_column + skip, first_column + stop);

    if (walk->zero_rows && all.begin < all.end)
        zero_part(walk, row, all);
    while (all.begin < all.end) {
        struct call_run run = {
            .row = row, .variant = variant, .sample = all.begin, .ploidy = walk->ploidy};
        const uint64_t column = window_columns(walk->selection, all).begin;
        const uint64_t element = row_element + (column - first_column) * walk->ploidy;
        struct window here;

        if (need_block(walk, element, err) != 0)
            return -1;
        here = clip_to_columns(walk->selection, all, column,
                               first_column + (walk->block_end - row_element) / walk->ploidy);
        walk->last_element =
            row_element + (window_columns(walk->selection, here).end - first_column) * walk->ploidy;
        if (walk->selection->contiguous
                ? put_consecutive(walk, &run, element, walk->last_element, err)
                : put_gathered(walk, &run, here, row_element, first_column, err))
            return -1;
        all.begin = here.end;
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

int encode_cell(const struct format_view *format, const struct encode_target *target,
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

int encode_target(const struct format_view *format, const struct encode_target *target,
                  struct decoder *decoder, struct err *err)
{
    struct encode_grid grid;

    encode_grid(format, target, &grid);
    encode_begin(format, target);
    for (uint64_t i = 0; i < encode_grid_ncells(&grid); i++) {
        const uint64_t width = grid.schunk_end - grid.schunk_begin;
        const struct encode_cell cell = {.vchunk = grid.vchunk_begin + i / width,
                                         .schunk = grid.schunk_begin + i % width};

        if (encode_cell(format, target, &cell, decoder, err) != 0)
            return -1;
    }
    return encode_end(format, target, err);
}
