/* SPDX-License-Identifier: Apache-2.0 */
#define ZSTD_STATIC_LINKING_ONLY /* decompression without a window of its own */
#include "encoderd/zarr/chunk/unfold.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/crc32c.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/unfold_impl.h"
#include "encoderd/zarr/codec/filters.h"
#include "encoderd/zarr/meta/utf8.h"
#include "encoderd/zarr/store/damaged.h"

#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ROOM_MAX ((size_t)512 << 10)
/* Of a mapping, before its pages are let go of. */
#define DROP_NBYTES ((uint64_t)2 << 20)
/* LZ4 cannot do better than a byte for 255. */
#define LZ4_RATIO 255

/* The checksum is the last four bytes, which are left behind where they are. */
static int check_sum(struct unfold *u, struct err *err)
{
    uint8_t stored[4];
    uint32_t sum = 0;

    if (u->length < 4)
        return err_set(err, ERR_CORRUPT, "its crc32c checksum does not agree; " DAMAGED);
    for (uint64_t at = 0; at < u->length - 4;) {
        const size_t n = (size_t)size_min(u->room, u->length - 4 - at);

        if (unfold_read(u, at, u->in, n, err) != 0)
            return -1;
        sum = crc32c_more(sum, u->in, n);
        at += n;
    }
    if (unfold_read(u, u->length - 4, stored, sizeof stored, err) != 0)
        return -1;
    if (get_le32(stored) != sum)
        return err_set(err, ERR_CORRUPT, "its crc32c checksum does not agree; " DAMAGED);
    u->length -= 4;
    return 0;
}

/* Where numcodecs' LZ4 says how much it holds: *most becomes that. */
static int lz4_size(struct unfold *u, uint64_t *most, struct err *err)
{
    uint8_t head[4];
    uint64_t nbytes;

    if (u->length < sizeof head)
        return unfold_broken(err);
    if (unfold_read(u, 0, head, sizeof head, err) != 0)
        return -1;
    nbytes = get_le32(head);
    if (nbytes > INT32_MAX || nbytes > *most || nbytes / LZ4_RATIO > u->length)
        return err_set(err, ERR_CORRUPT, "%llu bytes of LZ4 data do not hold %llu; " DAMAGED,
                       (unsigned long long)u->length, (unsigned long long)nbytes);
    *most = nbytes;
    return 0;
}

static int undo_compressor(struct unfold *u, enum codec_id id, uint64_t most, struct err *err)
{
    enum packing packing = id == CODEC_ZSTD   ? PACKED_ZSTD
                           : id == CODEC_GZIP ? PACKED_GZIP
                           : id == CODEC_ZLIB ? PACKED_ZLIB
                                              : PACKED_LZ4;
    const uint64_t from = id == CODEC_LZ4 ? 4 : 0;
    struct sink sink;

    if (id == CODEC_LZ4 && lz4_size(u, &most, err) != 0)
        return -1;
    if (unfold_begin(u, most, &sink, err) != 0 ||
        unfold_unpack(u, packing, from, u->length - from, &sink, err) != 0)
        return -1;
    unfold_end(u, &sink, sink.at);
    return 0;
}

static int undo_codecs(struct unfold *u, struct err *err)
{
    const struct zarr_meta *meta = u->meta;
    const bool strings = meta->dtype.kind == DTYPE_STRING;

    for (size_t k = meta->ncodecs; k > 0; k--) {
        const enum codec_id id = meta->codecs[k - 1];
        /* Between two codecs the data can only be a little longer than decoded. */
        const uint64_t most = strings  ? INT64_MAX
                              : k == 1 ? meta->filtered_nbytes
                                       : meta->filtered_nbytes + meta->filtered_nbytes / 8 + 4096;
        int rc = id == CODEC_CRC32C  ? check_sum(u, err)
                 : id == CODEC_BLOSC ? unfold_blosc(u, most, !strings && k == 1, err)
                                     : undo_compressor(u, id, most, err);

        if (rc != 0)
            return -1;
    }
    if (!strings && u->length != meta->filtered_nbytes)
        return err_set(err, ERR_CORRUPT, "it has %llu bytes where a chunk has %llu; " DAMAGED,
                       (unsigned long long)u->length, (unsigned long long)meta->filtered_nbytes);
    return 0;
}

/* Planes of a byte of every element each; what is left over stays where it is. */
static int undo_shuffle(struct unfold *u, uint64_t unit, struct err *err)
{
    struct transpose turn = {
        .ndim = 2, .shape = {u->length / unit, unit}, .axes = {1, 0}, .size = 1};
    struct unfold_turn ends = {.u = u, .here = true};

    if (u->length % unit != 0)
        return err_set(err, ERR_CORRUPT,
                       "filter \"shuffle\" for elements of %llu bytes on %llu bytes",
                       (unsigned long long)unit, (unsigned long long)u->length);
    if (unfold_begin(u, u->length, &ends.sink, err) != 0 || unfold_turn(&ends, &turn, err) != 0)
        return -1;
    unfold_end(u, &ends.sink, u->length);
    return 0;
}

static int undo_filter(struct unfold *u, const struct zarr_filter *filter, struct err *err)
{
    const uint64_t total = u->meta->chunk_elements, size = filter->decoded.size;
    const uint64_t most = u->room / 8 / 8 * 8; /* whole bytes of bits */
    struct filter_run run = {0};
    struct sink sink;

    if (unfold_begin(u, total * size, &sink, err) != 0)
        return -1;
    while (run.k < total) {
        const uint64_t n = size_min(most, total - run.k);
        uint64_t from, nbytes;

        filter_extent(filter, run.k, n, &from, &nbytes);
        if (unfold_read(u, from, u->in, (size_t)nbytes, err) != 0 ||
            filter_undo(filter, &run, u->in, u->out, n, err) != 0 ||
            unfold_put(&sink, u->out, (size_t)(n * size), err) != 0)
            return -1;
    }
    unfold_end(u, &sink, sink.at);
    return 0;
}

static int undo_filters(struct unfold *u, struct err *err)
{
    uint8_t first;

    for (size_t i = u->meta->nfilters; i > 0; i--) {
        const struct zarr_filter *filter = &u->meta->filters[i - 1];

        if (filter->id == FILTER_SHUFFLE) {
            if (undo_shuffle(u, filter->unit, err) != 0)
                return -1;
            continue;
        }
        if (filter->id == FILTER_PACKBITS && unfold_read(u, 0, &first, 1, err) != 0)
            return -1;
        if (filter->id == FILTER_PACKBITS &&
            filter_check_padding(first, u->meta->chunk_elements, err) != 0)
            return -1;
        if (undo_filter(u, filter, err) != 0)
            return -1;
    }
    return 0;
}

static void describe_turn(const struct zarr_meta *meta, uint64_t size, struct transpose *turn)
{
    *turn = (struct transpose){.ndim = meta->ndim, .size = size};
    memcpy(turn->shape, meta->chunk, sizeof turn->shape);
    memcpy(turn->axes, meta->axes, sizeof turn->axes);
}

static int undo_order(struct unfold *u, struct err *err)
{
    struct unfold_turn ends = {.u = u, .here = true};
    struct transpose turn;

    if (!u->meta->fortran)
        return 0;
    describe_turn(u->meta, u->meta->dtype.size, &turn);
    if (unfold_begin(u, u->length, &ends.sink, err) != 0 || unfold_turn(&ends, &turn, err) != 0)
        return -1;
    unfold_end(u, &ends.sink, u->length);
    return 0;
}

/* ---- Strings ---- */

static int bad_string(uint64_t k, const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "string %llu %s; " DAMAGED, (unsigned long long)k, what);
}

/* Reading on through a window. */
struct reader {
    struct unfold *u;
    uint64_t window; /* its begin */
    size_t n;        /* bytes in it */
};

/* Makes bytes [at, at + n) be in the window, n at most its room. */
static int look(struct reader *reader, uint64_t at, size_t n, const uint8_t **out, struct err *err)
{
    struct unfold *u = reader->u;

    if (at < reader->window || at + n > reader->window + reader->n) {
        reader->window = at;
        reader->n = (size_t)size_min(u->room, u->length - at);
        if (unfold_read(u, at, u->in, reader->n, err) != 0)
            return -1;
    }
    *out = u->in + (at - reader->window);
    return 0;
}

static int check_text(struct reader *reader, uint64_t k, uint64_t at, uint64_t n, struct err *err)
{
    while (n > 0) {
        const size_t step = (size_t)size_min(n, reader->u->room);
        const uint8_t *text;
        size_t whole;

        if (look(reader, at, step, &text, err) != 0)
            return -1;
        whole = utf8_prefix(text, step);
        /* A character may go on in what comes next. */
        if (whole < step && (step == n || whole + 3 < step))
            return bad_string(k, "is not UTF-8", err);
        at += whole;
        n -= whole;
    }
    return 0;
}

/* The offsets of strings, as they are stored. */
static int index_strings(struct unfold *u, struct sink *offsets, struct err *err)
{
    struct reader reader = {.u = u};
    const uint64_t total = u->meta->chunk_elements;
    uint64_t at = 4;
    const uint8_t *head;
    size_t nout = 0;

    if (u->length < 4 || look(&reader, 0, 4, &head, err) != 0 || get_le32(head) != total)
        return err_set(err, ERR_CORRUPT, "it does not hold the %llu strings of a chunk; " DAMAGED,
                       (unsigned long long)total);
    for (uint64_t k = 0; k < total; k++) {
        uint32_t len;

        if (u->length - at < 4)
            return bad_string(k, "runs past the end of the chunk", err);
        if (look(&reader, at, 4, &head, err) != 0)
            return -1;
        len = get_le32(head);
        if (len > u->length - at - 4)
            return bad_string(k, "runs past the end of the chunk", err);
        if (check_text(&reader, k, at + 4, len, err) != 0)
            return -1;
        memcpy(u->out + nout, &at, sizeof at);
        nout += sizeof at;
        at += 4 + (uint64_t)len;
        if (nout == u->room || k + 1 == total) {
            if (unfold_put(offsets, u->out, nout, err) != 0)
                return -1;
            nout = 0;
        }
    }
    return at == u->length ? 0 : bad_string(total, "is one too many", err);
}

static int undo_strings(struct unfold *u, struct err *err)
{
    struct sink offsets = {.u = u, .area = 2};
    struct unfold_turn ends = {.u = u, .area = 2, .sink = {.area = 3}};
    uint64_t *facts = spill_facts(u->entry);
    struct transpose turn;

    /* A count alone must not cost anything: each string has four bytes at the least. */
    if (u->length / 4 <= u->meta->chunk_elements)
        return bad_string(u->length / 4, "runs past the end of the chunk", err);
    offsets.end = u->meta->chunk_elements * 8;
    facts[UNFOLD_OFFSETS] = offsets.area;
    if (spill_area_open(u->entry, offsets.area, offsets.end, err) != 0 ||
        index_strings(u, &offsets, err) != 0)
        return -1;
    if (!u->meta->fortran)
        return 0;
    describe_turn(u->meta, 8, &turn);
    facts[UNFOLD_OFFSETS] = ends.sink.area;
    if (spill_area_open(u->entry, ends.sink.area, offsets.end, err) != 0 ||
        unfold_turn(&ends, &turn, err) != 0)
        return -1;
    spill_area_close(u->entry, offsets.area);
    return 0;
}

/* ---- All of it ---- */

static int take_windows(struct unfold *u, struct err *err)
{
    const struct decoder *decoder = u->decoder;
    const uint64_t share = (decoder->scratch_max - decoder->scratch_used) / 4;

    u->room = (size_t)size_min(size_max(share, LZ_WINDOW_MIN), ROOM_MAX) / 64 * 64;
    u->in = decoder_scratch(u->decoder, u->room, err);
    u->out = u->in == NULL ? NULL : decoder_scratch(u->decoder, u->room, err);
    return u->out == NULL ? -1 : 0;
}

/* What is only checked, or nothing at all, is still in the store. */
static int bring_in(struct unfold *u, struct err *err)
{
    struct sink sink;

    if (!u->stored)
        return 0;
    if (unfold_begin(u, u->length, &sink, err) != 0 ||
        unfold_copy(u, 0, u->length, &sink, err) != 0)
        return -1;
    unfold_end(u, &sink, u->length);
    return 0;
}

int unfold_chunk(struct decoder *decoder, struct chunk *chunk, struct spill_entry *entry,
                 struct err *err)
{
    const struct zarr_meta *meta = &chunk->array->meta;
    const bool strings = meta->dtype.kind == DTYPE_STRING;
    struct unfold u = {.decoder = decoder,
                       .chunk = chunk,
                       .meta = meta,
                       .entry = entry,
                       .stored = true,
                       .length = chunk->length};

    if (take_windows(&u, err) != 0 || undo_codecs(&u, err) != 0)
        return -1;
    if (strings && (bring_in(&u, err) != 0 || undo_strings(&u, err) != 0))
        return -1;
    if (!strings &&
        (undo_filters(&u, err) != 0 || undo_order(&u, err) != 0 || bring_in(&u, err) != 0))
        return -1;
    spill_facts(entry)[UNFOLD_AREA] = u.area;
    spill_facts(entry)[UNFOLD_NBYTES] = u.length;
    return 0;
}
