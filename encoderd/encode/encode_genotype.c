/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/encode/encode_genotype.h"

#include "encoderd/encode/cell_need.h"
#include "encoderd/encode/encode_subset.h"
#include "encoderd/encode/narrow.h"
#include "encoderd/vcz/holes.h"

#include <string.h>

/* How many calls are narrowed or gathered at a time, if the format cannot read them in the
 * block. */
#define GATHER_CALLS 1024

/* The functions of a walk are compiled into each visitor's loop, so that a row stays in registers.
 * A row that is passed in memory is read in longer pieces than it was written in. Such a read waits
 * until the writes before it have left the processor's store buffer: 100 ns a row. */
#define FOR_VISITOR static inline __attribute__((always_inline))

/* The current block of a chunk. */
struct source {
    struct decoder *decoder;
    struct chunk *chunk;
    bool have_block;
    struct block block;
    /* elements of the block; while blocks are being asked for, of the last one */
    uint64_t begin, end;
    struct blocks_need blocks; /* before any is decoded */
};

/* The state of one cell's walk through its rows. Elements are counted in the chunk; if the ploidy
 * axis is chunked, the alleles of a call are at the same element of two chunks. */
struct cell_walk {
    const struct format_view *format;
    const struct selection *selection;
    const struct encode_target *target;
    const struct encode_cell *cell;
    struct source sources[2];
    bool split;                     /* allele p of a call comes from sources[p] */
    unsigned ploidy, stride, width; /* alleles a call, elements a call, bytes an element */
    /* the format can read calls in the block, once they are narrow */
    bool straight;
    struct subset *subset; /* or extracts planes from it; NULL: neither */
    uint64_t chunk_variants, chunk_samples;
    uint64_t element_begin, element_end; /* do these elements only */
    uint64_t last_element;               /* one past the last element that was used */
    uint64_t row_begin;                  /* of the target's grid */
    struct range wanted;                 /* elements, before any chunk is open */
    bool zero_rows;                      /* zero this cell's part of a row before writing to it */
    int8_t alleles[GATHER_CALLS * 2];
};

/* Decodes the block that holds `element`, unless it is the current one. */
static int need_block(const struct cell_walk *walk, struct source *source, uint64_t element,
                      struct err *err)
{
    uint64_t index;

    if (source->have_block && element >= source->begin && element < source->end)
        return 0;
    index = element * walk->width / chunk_block_size(source->chunk);
    source->have_block = false;
    if (decoder_block(source->decoder, source->chunk, index, walk->straight || walk->subset != NULL,
                      &source->block, err) != 0)
        return -1;
    source->begin = source->block.begin / walk->width;
    source->end = (source->block.begin + source->block.nbytes) / walk->width;
    source->have_block = true;
    return 0;
}

/* Where the format must write the calls that begin at output sample `sample`. */
static uint8_t *output_at(const struct cell_walk *walk, uint64_t row, uint64_t sample)
{
    const unsigned per_byte = walk->format->layout.samples_per_byte;
    const uint64_t in_row = per_byte == 0 ? 0 : sample / per_byte;

    return walk->target->out +
           (encode_row_offset(walk->format, row) + in_row - walk->target->begin);
}

static int put(struct cell_walk *walk, struct call_run *run, struct err *err)
{
    if (walk->format->wants_sums)
        run->sums = &walk->target->notes[run->row - walk->row_begin].sums;
    return walk->format->format->put(walk->format, run, output_at(walk, run->row, run->sample),
                                     err);
}

/* One row of the chunk, as the walk visits it. */
struct row_walk {
    uint64_t row, variant;
    uint64_t first_column; /* of the chunk */
    uint64_t element;      /* of the call in first_column */
    struct range samples;  /* those that the target wants */
    struct range places;   /* of the selection, in this chunk */
};

static uint64_t call_element(const struct cell_walk *walk, const struct row_walk *row,
                             uint64_t place)
{
    return row->element +
           (columns_column(walk->selection, place) - row->first_column) * walk->stride;
}

/* The alleles of consecutive calls in the current block, which is plain. If there is less room,
 * reduces *ncalls to the calls that fit. */
static const int8_t *narrow_alleles(struct cell_walk *walk, uint64_t element, uint64_t *ncalls)
{
    const struct source *source = &walk->sources[0];
    const uint8_t *from = source->block.data + (element - source->begin) * walk->width;

    if (walk->width == 1)
        return (const int8_t *)from;
    *ncalls = size_min(*ncalls, GATHER_CALLS);
    narrow_run(from, walk->width, *ncalls * walk->ploidy, walk->alleles);
    return walk->alleles;
}

/* Puts runs of consecutive columns directly from the blocks that hold them. */
FOR_VISITOR int put_straight(struct cell_walk *walk, const struct row_walk *row, struct err *err)
{
    struct source *source = &walk->sources[0];
    struct call_run run = {.row = row->row, .variant = row->variant, .ploidy = walk->ploidy};

    for (uint64_t place = row->places.begin; place < row->places.end; place += run.ncalls) {
        const uint64_t element = call_element(walk, row, place);

        if (need_block(walk, source, element, err) != 0)
            return -1;
        run.sample = place;
        run.ncalls = size_min(row->places.end - place, (source->end - element) / walk->ploidy);
        if (source->block.form == BLOCK_PLANES) {
            run.planes = source->block.planes;
            run.first = element - source->begin;
        } else {
            run.planes = (struct planes){0};
            run.alleles = narrow_alleles(walk, element, &run.ncalls);
        }
        if (put(walk, &run, err) != 0)
            return -1;
        walk->last_element = element + run.ncalls * walk->ploidy;
    }
    return 0;
}

/* How many of n ascending elements are before `end`. */
static uint64_t elements_before(const uint64_t *elements, uint64_t n, uint64_t end)
{
    while (n > 0 && elements[n - 1] >= end)
        n--;
    return n;
}

/* Loads allele p of the n calls at these ascending elements. They are in one block, with two
 * exceptions: a call may lie across two blocks, and if the ploidy axis is chunked, the second chunk
 * may have other blocks. */
static int load_calls(struct cell_walk *walk, const uint64_t *elements, uint64_t n, struct err *err)
{
    for (unsigned p = 0; p < walk->ploidy; p++) {
        struct source *source = &walk->sources[walk->split ? p : 0];
        const uint64_t shift = walk->split ? 0 : p;

        for (uint64_t i = 0, here; i < n; i += here) {
            if (need_block(walk, source, elements[i] + shift, err) != 0)
                return -1;
            here = elements_before(elements + i, n - i, source->end - shift);
            narrow_gather(source->block.data, walk->width, source->begin - shift, elements + i,
                          here, walk->ploidy, &walk->alleles[i * walk->ploidy + p]);
        }
    }
    return 0;
}

/* Gathers as many of the places [begin, end) as make one run of consecutive output samples. Returns
 * the number of places used; *run has the samples among them, perhaps none. */
static uint64_t gather_run(const struct cell_walk *walk, const struct row_walk *row,
                           struct range places, struct call_run *run, uint64_t *elements)
{
    uint64_t i;

    run->ncalls = 0;
    for (i = places.begin; i < places.end && run->ncalls < GATHER_CALLS; i++) {
        const uint64_t sample = columns_sample(walk->selection, i);

        if (sample < row->samples.begin || sample >= row->samples.end)
            continue;
        if (run->ncalls > 0 && sample != run->sample + run->ncalls)
            break;
        if (run->ncalls == 0)
            run->sample = sample;
        elements[run->ncalls++] = call_element(walk, row, i);
    }
    return i - places.begin;
}

/* Puts any samples in any layout, each by its element. */
static int put_gathered(struct cell_walk *walk, const struct row_walk *row, struct range places,
                        struct err *err)
{
    struct call_run run = {
        .row = row->row, .variant = row->variant, .ploidy = walk->ploidy, .alleles = walk->alleles};
    uint64_t elements[GATHER_CALLS];

    while (!range_is_empty(places)) {
        places.begin += gather_run(walk, row, places, &run, elements);
        if (run.ncalls == 0)
            continue;
        if (load_calls(walk, elements, run.ncalls, err) != 0 || put(walk, &run, err) != 0)
            return -1;
    }
    return 0;
}

/* Puts a subset in store order from the current block, which is in plane form. */
static int put_extracted(struct cell_walk *walk, const struct row_walk *row, struct range places,
                         struct err *err)
{
    const struct source *source = &walk->sources[0];
    const struct range columns = {columns_column(walk->selection, places.begin) - row->first_column,
                                  columns_column(walk->selection, places.end - 1) + 1 -
                                      row->first_column};
    struct call_run run = {.row = row->row,
                           .variant = row->variant,
                           .sample = places.begin,
                           .ncalls = places.end - places.begin,
                           .ploidy = walk->ploidy};

    run.planes =
        subset_extract(walk->subset, &source->block.planes,
                       call_element(walk, row, places.begin) - source->begin, columns, run.ncalls);
    return put(walk, &run, err);
}

/* Puts all samples, in an order that is not the store's, from the current block, which has all
 * their calls. */
static int put_reordered(struct cell_walk *walk, const struct row_walk *row, struct err *err)
{
    const struct source *source = &walk->sources[0];
    const uint64_t *columns = walk->selection->sample_column;
    struct call_run run = {
        .row = row->row, .variant = row->variant, .ploidy = walk->ploidy, .alleles = walk->alleles};
    uint64_t elements[GATHER_CALLS];

    for (run.sample = row->samples.begin; run.sample < row->samples.end; run.sample += run.ncalls) {
        run.ncalls = size_min(row->samples.end - run.sample, GATHER_CALLS);
        for (uint64_t i = 0; i < run.ncalls; i++)
            elements[i] =
                row->element + (columns[run.sample + i] - row->first_column) * walk->stride;
        for (unsigned p = 0; p < walk->ploidy; p++)
            narrow_gather(source->block.data, walk->width, source->begin - p, elements, run.ncalls,
                          walk->ploidy, &walk->alleles[p]);
        if (put(walk, &run, err) != 0)
            return -1;
    }
    return 0;
}

/* True if these places are all that there are, if they are not in store order, and if all their
 * calls are in the current block. */
static bool can_reorder(const struct cell_walk *walk, const struct row_walk *row,
                        struct range places)
{
    return !walk->selection->store_order && !walk->split &&
           places.end - places.begin == walk->selection->nsamples &&
           call_element(walk, row, places.end - 1) + walk->ploidy <= walk->sources[0].end;
}

/* Any samples, block by block. */
static int put_selected(struct cell_walk *walk, const struct row_walk *row, struct err *err)
{
    struct source *source = &walk->sources[0];
    struct range here = row->places;

    for (; here.begin < row->places.end; here.begin = here.end) {
        struct range columns = {row->first_column, 0};
        int failed;

        if (need_block(walk, source, call_element(walk, row, here.begin), err) != 0)
            return -1;
        columns.end = row->first_column + size_div_up(source->end - row->element, walk->stride);
        here =
            columns_places(walk->selection, (struct range){here.begin, row->places.end}, columns);
        if (walk->subset != NULL && source->block.form == BLOCK_PLANES)
            failed = put_extracted(walk, row, here, err);
        else if (can_reorder(walk, row, here))
            failed = put_reordered(walk, row, err);
        else
            failed = put_gathered(walk, row, here, err);
        if (failed)
            return -1;
    }
    return 0;
}

static void zero_part(const struct cell_walk *walk, const struct row_walk *row)
{
    const unsigned per_byte = walk->format->layout.samples_per_byte;

    memset(output_at(walk, row->row, row->places.begin), 0,
           size_div_up(row->places.end, per_byte) - row->places.begin / per_byte);
}

/* The columns of this chunk whose calls in the row are between the walk's first and last
 * element. */
static struct range walk_columns(const struct cell_walk *walk, const struct row_walk *row)
{
    struct range columns = {row->first_column, row->first_column + walk->chunk_samples};

    if (walk->element_begin > row->element)
        columns.begin += (walk->element_begin - row->element) / walk->stride;
    if (walk->element_end - row->element < walk->chunk_samples * walk->stride)
        columns.end = row->first_column + (walk->element_end - row->element) / walk->stride;
    return columns;
}

/* Finds the places of the row that this chunk has; false if there are none. */
FOR_VISITOR bool find_places(const struct cell_walk *walk, uint64_t index, uint64_t variant,
                             struct row_walk *row)
{
    const struct selection *selection = walk->selection;

    *row = (struct row_walk){
        .row = index,
        .variant = variant,
        .first_column = walk->cell->schunk * walk->chunk_samples,
        .element = variant % walk->chunk_variants * walk->chunk_samples * walk->stride,
        .samples = encode_row_samples(walk->format, walk->target, index),
    };
    row->places = columns_places(
        selection, selection->store_order ? row->samples : (struct range){0, selection->nsamples},
        walk_columns(walk, row));
    return !range_is_empty(row->places);
}

/* Puts this chunk's calls of one row. */
FOR_VISITOR int put_row(struct cell_walk *walk, const struct row_walk *row, struct err *err)
{
    if (walk->zero_rows)
        zero_part(walk, row);
    if (walk->straight)
        return put_straight(walk, row, err);
    return put_selected(walk, row, err);
}

/* Visits the rows of the walk's target whose variants are in the cell's chunk, up to
 * element_end. */
FOR_VISITOR int walk_rows(struct cell_walk *walk,
                          int (*visit)(struct cell_walk *, const struct row_walk *, struct err *),
                          struct err *err)
{
    const struct row_map *rows = &walk->selection->rows;
    const uint64_t first_variant = walk->cell->vchunk * walk->chunk_variants;
    struct row_walk row;
    struct encode_grid grid;
    struct row_cursor cursor;

    encode_grid(walk->format, walk->target, &grid);
    walk->row_begin = grid.row_begin;
    cursor =
        row_map_from(rows, size_max(grid.row_begin, row_map_lower_bound(rows, 0, first_variant)));
    for (; cursor.at.index < grid.row_end; row_cursor_next(&cursor)) {
        const uint64_t variant = cursor.at.variant;

        if (variant - first_variant >= walk->chunk_variants ||
            (variant - first_variant) * walk->chunk_samples * walk->stride >= walk->element_end)
            break;
        if (find_places(walk, cursor.at.index, variant, &row) && visit(walk, &row, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- What is wanted of a chunk ---- */

FOR_VISITOR int note_wanted(struct cell_walk *walk, const struct row_walk *row, struct err *err)
{
    const uint64_t begin = call_element(walk, row, row->places.begin);
    const uint64_t end = call_element(walk, row, row->places.end - 1) + walk->stride;

    (void)err;
    walk->wanted.begin = walk->wanted.end == 0 ? begin : size_min(walk->wanted.begin, begin);
    walk->wanted.end = size_max(walk->wanted.end, end);
    return 0;
}

/* A target of less than two rows may need calls of only a few of its rows' chunks: finds whether it
 * needs any of this one, and which elements. A longer target needs some of each chunk. */
static bool is_wanted(struct cell_walk *walk)
{
    const struct encode_target *target = walk->target;

    if (target->end - target->begin >= 2 * walk->format->layout.row_nbytes)
        return true;
    (void)walk_rows(walk, note_wanted, NULL);
    return walk->wanted.end > 0;
}

/* Puts the rest of the block into the targets after this one, as far as it reaches. */
static void donate(struct cell_walk *walk)
{
    const struct encode_donor *donor = walk->cell->donor;
    const struct source *source = &walk->sources[0];
    const struct encode_target *own = walk->target;
    struct encode_target to;

    if (donor == NULL || !walk->straight || !source->have_block || walk->zero_rows)
        return;
    while (walk->last_element < source->end && donor->claim(donor->arg, source->end, &to)) {
        struct err err = {0};
        int failed;

        walk->target = &to;
        walk->element_begin = walk->last_element;
        walk->element_end = source->end;
        failed = walk_rows(walk, put_row, &err);
        walk->target = own;
        donor->done(donor->arg, failed ? &err : NULL);
        if (failed || walk->last_element == walk->element_begin)
            return;
    }
}

static struct decoder *second_decoder(struct encode_worker *worker, struct err *err)
{
    if (worker->second != NULL)
        return worker->second;
    worker->second = decoder_new(worker->scratch_max, err);
    if (worker->second == NULL)
        return NULL;
    decoder_set_cache(worker->second, worker->cache);
    if (worker->chunks != NULL)
        decoder_share(worker->second, worker->chunks);
    decoder_use(worker->second, worker->need);
    return worker->second;
}

static int open_chunk(const struct cell_walk *walk, uint64_t ploidy_chunk, struct decoder *decoder,
                      struct source *source, struct err *err)
{
    const uint64_t index[3] = {walk->cell->vchunk, walk->cell->schunk, ploidy_chunk};
    const struct vcz *vcz = walk->selection->vcz;

    source->decoder = decoder;
    if (decoder == NULL || decoder_chunk(decoder, vcz->genotype, index, &source->chunk, err) != 0)
        return -1;
    return chunk_is_absent(source->chunk) ? holes_judge(vcz->holes, index[0], err) : 0;
}

static int open_chunks(struct cell_walk *walk, struct encode_worker *worker, struct err *err)
{
    if (open_chunk(walk, 0, worker->decoder, &walk->sources[0], err) != 0)
        return -1;
    return walk->split ? open_chunk(walk, 1, second_decoder(worker, err), &walk->sources[1], err)
                       : 0;
}

/* Decides how the chunk's blocks are used, when their layout is known. */
static void choose_path(struct cell_walk *walk, struct subset *subset)
{
    const struct chunk *chunk = walk->sources[0].chunk;
    const unsigned per_byte = walk->format->layout.samples_per_byte;
    const bool several = chunk_nblocks(chunk) > 1;
    const uint64_t calls = chunk_block_size(chunk) / (walk->width * walk->stride);
    const bool whole = walk->stride == walk->ploidy &&
                       (!several || chunk_block_size(chunk) % (walk->width * walk->stride) == 0);

    walk->straight = whole && walk->selection->contiguous;
    walk->subset = whole && walk->width == 1 && subset_applies(walk->selection) ? subset : NULL;
    if (per_byte > 1 && encode_chunks_meet_at_bytes(walk->format))
        walk->zero_rows = !walk->straight || (several && calls % per_byte != 0);
}

static void begin_walk(const struct format_view *format, const struct encode_target *target,
                       const struct encode_cell *cell, struct cell_walk *walk)
{
    const struct vcz *vcz = format->selection->vcz;
    const struct zarr_meta *meta = &vcz->genotype->meta;

    walk->format = format;
    walk->selection = format->selection;
    walk->target = target;
    walk->cell = cell;
    walk->split = meta->chunk[2] < vcz->ploidy;
    walk->ploidy = vcz->ploidy;
    walk->stride = (unsigned)meta->chunk[2];
    walk->width = meta->dtype.size;
    walk->chunk_variants = meta->chunk[0];
    walk->chunk_samples = meta->chunk[1];
    walk->element_begin = cell->first_element;
    walk->element_end = UINT64_MAX;
}

int encode_genotype_cell(const struct format_view *format, const struct encode_target *target,
                         const struct encode_cell *cell, struct encode_worker *worker,
                         struct err *err)
{
    struct cell_walk walk = {0};
    struct subset subset;

    begin_walk(format, target, cell, &walk);
    if (!is_wanted(&walk))
        return 0;
    if (open_chunks(&walk, worker, err) != 0)
        return -1;
    choose_path(&walk, &subset);
    worker->block_rows =
        chunk_block_size(walk.sources[0].chunk) / (walk.width * walk.stride * walk.chunk_samples);
    if (walk.subset != NULL &&
        subset_prepare(&subset, worker, walk.selection, walk.ploidy,
                       (struct range){cell->schunk * walk.chunk_samples,
                                      (cell->schunk + 1) * walk.chunk_samples},
                       err) != 0)
        return -1;
    if (walk_rows(&walk, put_row, err) != 0)
        return -1;
    donate(&walk);
    return 0;
}

/* ---- What a cell needs ---- */

/* Sets the elements that are completely in the last block that was asked for: a row inside it needs
 * no other block. */
static void note_block(const struct cell_walk *walk, struct source *source)
{
    const uint64_t block_size = chunk_block_size(source->chunk), last = source->blocks.last;

    source->begin = size_div_up(last * block_size, walk->width);
    source->end = (last + 1) * block_size / walk->width;
}

/* Adds the blocks of a source that hold a row's calls. Most rows are in the same block as the row
 * before, which is tested first without a division: a division would take more time than the rest
 * of this function. */
static void need_row_of(const struct cell_walk *walk, const struct row_walk *row,
                        struct source *source, struct err *err)
{
    const uint64_t block_size = chunk_block_size(source->chunk), width = walk->width;
    const uint64_t nelements = chunk_nbytes(source->chunk) / width;
    const uint64_t reach = walk->split ? 1 : walk->ploidy; /* elements of a call */
    struct range here = row->places;

    if (call_element(walk, row, here.begin) >= source->begin &&
        call_element(walk, row, here.end - 1) + reach <= source->end)
        return;
    for (; here.begin < row->places.end; here.begin = here.end) {
        const uint64_t first = call_element(walk, row, here.begin) * width / block_size;
        const uint64_t end = size_min((first + 1) * block_size / width, nelements);
        const struct range columns = {
            row->first_column, row->first_column + size_div_up(end - row->element, walk->stride)};

        here.end = row->places.end;
        if (!walk->selection->contiguous)
            here = columns_places(walk->selection, here, columns);
        blocks_need_add(&source->blocks, first,
                        (call_element(walk, row, here.end - 1) + reach - 1) * width / block_size,
                        err);
    }
    note_block(walk, source);
}

FOR_VISITOR int need_row(struct cell_walk *walk, const struct row_walk *row, struct err *err)
{
    for (unsigned i = 0; i < (walk->split ? 2 : 1); i++) {
        need_row_of(walk, row, &walk->sources[i], err);
        if (walk->sources[i].blocks.answer == NEED_FAILED)
            return -1;
    }
    return 0;
}

static enum need need_chunk(const struct cell_walk *walk, uint64_t ploidy_chunk,
                            struct decoder *decoder, struct source *source, struct chunk_need *need,
                            struct err *err)
{
    const uint64_t index[3] = {walk->cell->vchunk, walk->cell->schunk, ploidy_chunk};
    const struct vcz *vcz = walk->selection->vcz;
    enum need answer;

    if (decoder == NULL)
        return NEED_FAILED;
    answer = decoder_need_chunk(decoder, vcz->genotype, index, need, &source->chunk, err);
    source->blocks = (struct blocks_need){.decoder = decoder, .chunk = source->chunk, .need = need};
    /* Whether an absent chunk may be absent is found out by reading other chunks, which takes
     * time. */
    if (answer == NEED_THERE && chunk_is_absent(source->chunk) &&
        !holes_are_judged(vcz->holes, index[0]))
        return NEED_SLOW;
    return answer;
}

static enum need need_blocks(struct cell_walk *walk, struct cell_need *need, struct err *err)
{
    const unsigned forms = walk->straight || walk->subset != NULL ? BLOCK_MAY_BE_PLANES : 0;
    enum need answer = NEED_THERE;

    for (unsigned i = 0; i < (walk->split ? 2 : 1); i++)
        walk->sources[i].blocks.forms = forms;
    if (walk_rows(walk, need_row, err) != 0)
        return NEED_FAILED;
    for (unsigned i = 0; i < (walk->split ? 2 : 1); i++) {
        struct blocks_need *blocks = &walk->sources[i].blocks;

        answer = need_worse(answer, blocks_need_end(blocks, err));
        need->nblocks = chunk_is_in_blocks(blocks->chunk) && need->nblocks != UINT64_MAX
                            ? need->nblocks + blocks->nblocks
                            : UINT64_MAX;
        need->nbytes = size_max(need->nbytes, chunk_block_size(blocks->chunk));
    }
    return answer;
}

enum need encode_genotype_need(const struct format_view *format, const struct encode_target *target,
                               const struct encode_cell *cell, struct encode_worker *worker,
                               struct cell_need *need, struct err *err)
{
    struct cell_walk walk = {0};
    struct subset subset;
    enum need answer;

    begin_walk(format, target, cell, &walk);
    if (!is_wanted(&walk))
        return NEED_THERE;
    need->chunks.begin = walk.wanted.begin * walk.width;
    need->chunks.end = walk.wanted.end * walk.width;
    answer = need_chunk(&walk, 0, worker->decoder, &walk.sources[0], &need->chunks, err);
    if (walk.split && answer != NEED_FAILED)
        answer = need_worse(answer, need_chunk(&walk, 1, second_decoder(worker, err),
                                               &walk.sources[1], &need->chunks, err));
    if (answer != NEED_THERE)
        return answer;
    choose_path(&walk, &subset);
    return need_blocks(&walk, need, err);
}
