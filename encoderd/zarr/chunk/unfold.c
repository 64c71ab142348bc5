/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/chunk/unfold.h"

#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/unfold_impl.h"
#include "encoderd/zarr/codec/filters.h"
#include "encoderd/zarr/store/damaged.h"

#define ROOM_MIN ((uint64_t)128 << 10)
#define ROOM_MAX ((uint64_t)2 << 20)
/* The most decoded bytes for one byte of LZ4. */
#define LZ4_RATIO 255

static int step_unpack(struct unfold *u, enum stream_kind kind, uint64_t from, uint64_t most,
                       struct err *err)
{
    if (unfold_begin(u, most, err) != 0 ||
        unfold_unpack(u, kind, from, u->length - from, most, UNFOLD_NEXT, err) != 0)
        return -1;
    return unfold_end(u);
}

static int bad_sum(struct err *err)
{
    return err_set(err, ERR_CORRUPT, "its crc32c checksum does not agree; " DAMAGED);
}

/* The checksum is the last four bytes. */
static int check_sum(struct unfold *u, struct err *err)
{
    uint8_t stored[4];
    uint32_t sum = 0;
    uint64_t end;

    if (u->length < sizeof stored)
        return bad_sum(err);
    end = u->length - sizeof stored;
    for (uint64_t at = 0; at < end;) {
        const size_t n = (size_t)size_min(u->room, end - at);

        if (unfold_read(u, at, u->in, n, err) != 0)
            return -1;
        sum = crc32c_more(sum, u->in, n);
        at += n;
    }
    if (unfold_read(u, end, stored, sizeof stored, err) != 0)
        return -1;
    u->length = end;
    if (!u->stored)
        spill_cut(u->entry, UNFOLD_BYTES, u->length);
    return get_le32(stored) == sum ? 0 : bad_sum(err);
}

/* numcodecs' LZ4 states the size of its contents. */
static int undo_lz4(struct unfold *u, uint64_t most, struct err *err)
{
    uint8_t head[4];
    uint32_t nbytes;

    if (unfold_read(u, 0, head, sizeof head, err) != 0)
        return -1;
    nbytes = get_le32(head);
    if (nbytes > INT32_MAX || nbytes > most || nbytes / LZ4_RATIO > u->length)
        return err_set(err, ERR_CORRUPT, "%llu bytes of LZ4 data do not hold %u; " DAMAGED,
                       (unsigned long long)u->length, nbytes);
    return step_unpack(u, STREAM_LZ4, sizeof head, nbytes, err);
}

static int undo_codec(struct unfold *u, size_t k, struct err *err)
{
    const struct zarr_meta *meta = u->meta;
    const bool strings = meta->dtype.kind == DTYPE_STRING;
    /* The output of a compressor can be only a little longer than its input. */
    const uint64_t most = strings  ? INT64_MAX
                          : k == 0 ? meta->filtered_nbytes
                                   : meta->filtered_nbytes + meta->filtered_nbytes / 8 + 4096;

    switch (meta->codecs[k]) {
    case CODEC_CRC32C:
        return check_sum(u, err);
    case CODEC_BLOSC:
        return unfold_blosc(u, most, !strings && k == 0, err);
    case CODEC_LZ4:
        return undo_lz4(u, most, err);
    case CODEC_ZSTD:
        return step_unpack(u, STREAM_ZSTD, 0, most, err);
    case CODEC_GZIP:
        return step_unpack(u, STREAM_GZIP, 0, most, err);
    case CODEC_ZLIB:
        return step_unpack(u, STREAM_ZLIB, 0, most, err);
    }
    return err_set(err, ERR_SYSTEM, "a codec that nobody knows");
}

static int undo_codecs(struct unfold *u, struct err *err)
{
    for (size_t k = u->meta->ncodecs; k > 0; k--)
        if (undo_codec(u, k - 1, err) != 0)
            return -1;
    if (u->meta->dtype.kind != DTYPE_STRING && u->length != u->meta->filtered_nbytes)
        return err_set(err, ERR_CORRUPT, "it has %llu bytes where a chunk has %llu; " DAMAGED,
                       (unsigned long long)u->length, (unsigned long long)u->meta->filtered_nbytes);
    return 0;
}

/* ---- Filters ---- */

/* Undoes byte planes: each plane has one byte of every element. */
static int undo_shuffle(struct unfold *u, uint64_t unit, struct err *err)
{
    if (u->length % unit != 0)
        return err_set(err, ERR_CORRUPT,
                       "filter \"shuffle\" for elements of %llu bytes on %llu bytes",
                       (unsigned long long)unit, (unsigned long long)u->length);
    return unfold_order(u, 2, (uint64_t[]){u->length / unit, unit}, (uint8_t[]){1, 0}, 1, err);
}

static int check_padding(struct unfold *u, struct err *err)
{
    uint8_t first;

    if (unfold_read(u, 0, &first, 1, err) != 0)
        return -1;
    return filter_check_padding(first, u->meta->chunk_elements, err);
}

static int undo_filter(struct unfold *u, const struct zarr_filter *filter, struct err *err)
{
    const uint64_t total = u->meta->chunk_elements, size = filter->decoded.size;
    const uint64_t most = u->room / 8 / 8 * 8; /* whole bytes of bits */
    struct filter_run run = {0};

    if (filter->id == FILTER_SHUFFLE)
        return undo_shuffle(u, filter->unit, err);
    if ((filter->id == FILTER_PACKBITS && check_padding(u, err) != 0) ||
        unfold_begin(u, total * size, err) != 0)
        return -1;
    while (run.k < total) {
        const uint64_t n = size_min(most, total - run.k);
        uint64_t from, nbytes;

        filter_extent(filter, run.k, n, &from, &nbytes);
        if (unfold_read(u, from, u->in, (size_t)nbytes, err) != 0 ||
            filter_undo(filter, &run, u->in, u->out, n, err) != 0 ||
            spill_append(u->entry, UNFOLD_NEXT, u->out, (size_t)(n * size), err) != 0)
            return -1;
    }
    return unfold_end(u);
}

/* ---- All of it ---- */

static int take_windows(struct unfold *u, struct err *err)
{
    const struct decoder *decoder = u->decoder;
    const uint64_t share = (decoder->scratch_max - decoder->scratch_used) / 4;

    u->room = (size_t)size_min(size_max(share, ROOM_MIN), ROOM_MAX) / 64 * 64;
    u->in = decoder_scratch(u->decoder, u->room, err);
    u->out = u->in == NULL ? NULL : decoder_scratch(u->decoder, u->room, err);
    return u->out == NULL ? -1 : 0;
}

static int undo_filters_and_order(struct unfold *u, struct err *err)
{
    const struct zarr_meta *meta = u->meta;

    for (size_t i = meta->nfilters; i > 0; i--)
        if (undo_filter(u, &meta->filters[i - 1], err) != 0)
            return -1;
    return meta->fortran
               ? unfold_order(u, meta->ndim, meta->chunk, meta->axes, meta->dtype.size, err)
               : 0;
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

    if (take_windows(&u, err) != 0 || undo_codecs(&u, err) != 0 ||
        (!strings && undo_filters_and_order(&u, err) != 0))
        return -1;
    /* If the codecs only checked the bytes, or there were none, the bytes are still only in the
     * store. */
    if (u.stored && step_unpack(&u, STREAM_PLAIN, 0, u.length, err) != 0)
        return -1;
    return strings ? unfold_strings(&u, err) : 0;
}
