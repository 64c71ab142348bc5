/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unfold_blosc: Blosc frames whose blocks, or whose whole, no memory budget holds.
 *
 * Blocks for which there is room are c-blosc's, which takes two more of them for itself. Of longer
 * ones the streams are decompressed one by one into an area of their own, and un-shuffled from
 * there. Format: c-blosc README_CHUNK_FORMAT, and its function blosc_d.
 */
#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/unfold_impl.h"
#include "encoderd/zarr/codec/blosc1_decode.h"
#include "encoderd/zarr/store/damaged.h"

#include <string.h>

#define FLAG_SHUFFLE    0x01
#define FLAG_BITSHUFFLE 0x04
#define FLAG_UNSPLIT    0x10
/* c-blosc splits a block by the bytes of its elements if those are few and there are enough of
 * them. */
#define SPLITS_MAX      16
#define SPLIT_NBYTES    128
#define STREAMS_AREA    2
#define COPIES_OF_BLOSC 2

struct frame {
    struct unfold *u;
    struct blosc1_frame head;
    uint32_t *begins, *ends; /* owned */
    struct sink sink;        /* of the whole */
};

static enum packing stream_packing(const struct blosc1_frame *head)
{
    switch (blosc1_frame_codec(head)) {
    case BLOSC1_BLOSCLZ:
        return PACKED_BLOSCLZ;
    case BLOSC1_LZ4:
        return PACKED_LZ4;
    case BLOSC1_SNAPPY:
        return PACKED_SNAPPY;
    case BLOSC1_ZLIB:
        return PACKED_ZLIB;
    case BLOSC1_ZSTD:
        break;
    }
    return PACKED_ZSTD;
}

static int bad_block(const struct frame *frame, uint32_t i, const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "Blosc block %u of %u %s; " DAMAGED, i, frame->head.nblocks,
                   what);
}

static bool is_shuffled(const struct blosc1_frame *head)
{
    return (head->flags & FLAG_SHUFFLE) != 0 && head->typesize > 1;
}

/* Of block i, all of whose elements take part or none. */
static bool is_bitshuffled(const struct blosc1_frame *head, uint32_t i)
{
    const uint32_t n = blosc1_block_nbytes(head, i);

    return !is_shuffled(head) && (head->flags & FLAG_BITSHUFFLE) != 0 && n >= head->typesize &&
           n / head->typesize % 8 == 0;
}

static uint32_t nsplits(const struct blosc1_frame *head, uint32_t i)
{
    const uint32_t n = blosc1_block_nbytes(head, i);

    return (head->flags & FLAG_UNSPLIT) == 0 && head->typesize <= SPLITS_MAX &&
                   n / head->typesize >= SPLIT_NBYTES && n == head->block_size
               ? head->typesize
               : 1;
}

/* One stream of a block: its length, then as many bytes, which may be the contents themselves. */
static int unpack_stream(struct frame *frame, uint32_t i, uint64_t *at, uint64_t nbytes,
                         struct sink *to, struct err *err)
{
    struct unfold *u = frame->u;
    const uint64_t begin = to->at;
    uint8_t head[4];
    uint32_t len;

    if (frame->ends[i] - *at < sizeof head)
        return bad_block(frame, i, "runs past its own end", err);
    if (unfold_read(u, *at, head, sizeof head, err) != 0)
        return -1;
    len = get_le32(head);
    if (len == 0 || len > frame->ends[i] - *at - sizeof head)
        return bad_block(frame, i, "runs past its own end", err);
    to->end = begin + nbytes;
    if (unfold_unpack(u, len == nbytes ? PACKED_PLAIN : stream_packing(&frame->head),
                      *at + sizeof head, len, to, err) != 0)
        return -1;
    if (to->at != to->end)
        return bad_block(frame, i, "does not decompress", err);
    *at += sizeof head + len;
    return 0;
}

static int unpack_streams(struct frame *frame, uint32_t i, struct sink *to, struct err *err)
{
    const uint32_t n = nsplits(&frame->head, i);
    const uint64_t each = blosc1_block_nbytes(&frame->head, i) / n;
    uint64_t at = frame->begins[i];

    for (uint32_t k = 0; k < n; k++)
        if (unpack_stream(frame, i, &at, each, to, err) != 0)
            return -1;
    /* What does not divide by the streams has none: c-blosc fails, too. */
    if (each * n != blosc1_block_nbytes(&frame->head, i))
        return bad_block(frame, i, "does not decompress", err);
    return 0;
}

static int unshuffle(struct frame *frame, uint32_t n, struct err *err)
{
    const uint32_t size = frame->head.typesize, count = n / size, rest = n % size;
    struct transpose turn = {.ndim = 2, .shape = {count, size}, .axes = {1, 0}, .size = 1};
    const struct unfold_turn ends = {.u = frame->u, .area = STREAMS_AREA, .sink = frame->sink};
    uint8_t bytes[255];

    if (count > 0 && unfold_turn(&ends, &turn, err) != 0)
        return -1;
    frame->sink.at += n - rest;
    if (spill_read(frame->u->entry, STREAMS_AREA, n - rest, bytes, rest, err) != 0)
        return -1;
    return unfold_put(&frame->sink, bytes, rest, err);
}

/* Eight bits each of eight bytes: bit i of byte k becomes bit k of byte i. */
static uint64_t turn_bits(uint64_t x)
{
    uint64_t t = (x ^ (x >> 7)) & UINT64_C(0x00aa00aa00aa00aa);

    x ^= t ^ (t << 7);
    t = (x ^ (x >> 14)) & UINT64_C(0x0000cccc0000cccc);
    x ^= t ^ (t << 14);
    t = (x ^ (x >> 28)) & UINT64_C(0x00000000f0f0f0f0);
    return x ^ t ^ (t << 28);
}

/* Groups [begin, begin + n) of eight elements, each group a byte of every plane; there is a plane
 * for each bit of an element. `in` has n bytes of each plane. */
static void unbitshuffle_groups(const uint8_t *in, uint8_t *out, size_t n, uint32_t size)
{
    for (size_t g = 0; g < n; g++)
        for (uint32_t j = 0; j < size; j++) {
            uint64_t bits = 0;

            for (unsigned b = 0; b < 8; b++)
                bits |= (uint64_t)in[(j * 8 + b) * n + g] << (8 * b);
            bits = turn_bits(bits);
            for (unsigned e = 0; e < 8; e++)
                out[(g * 8 + e) * size + j] = (uint8_t)(bits >> (8 * e));
        }
}

static int unbitshuffle(struct frame *frame, uint32_t n, struct err *err)
{
    struct unfold *u = frame->u;
    const uint32_t size = frame->head.typesize, ngroups = n / size / 8;
    const uint32_t rest = n - ngroups * 8 * size;
    const uint32_t most = (uint32_t)(u->room / (8 * (size_t)size));
    uint8_t bytes[255];

    for (uint32_t g = 0; g < ngroups;) {
        const uint32_t step = (uint32_t)size_min(most, ngroups - g);

        for (uint32_t plane = 0; plane < 8 * size; plane++)
            if (spill_read(u->entry, STREAMS_AREA, (uint64_t)plane * ngroups + g,
                           u->in + (size_t)plane * step, step, err) != 0)
                return -1;
        unbitshuffle_groups(u->in, u->out, step, size);
        if (unfold_put(&frame->sink, u->out, (size_t)step * 8 * size, err) != 0)
            return -1;
        g += step;
    }
    if (spill_read(u->entry, STREAMS_AREA, n - rest, bytes, rest, err) != 0)
        return -1;
    return unfold_put(&frame->sink, bytes, rest, err);
}

static int long_block(struct frame *frame, uint32_t i, struct err *err)
{
    struct unfold *u = frame->u;
    const uint32_t n = blosc1_block_nbytes(&frame->head, i);
    struct sink streams = {.u = u, .area = STREAMS_AREA};
    const uint64_t end = frame->sink.end;
    int rc;

    if (!is_shuffled(&frame->head) && !is_bitshuffled(&frame->head, i)) {
        rc = unpack_streams(frame, i, &frame->sink, err);
        frame->sink.end = end;
        return rc;
    }
    if (spill_area_open(u->entry, STREAMS_AREA, n, err) != 0 ||
        unpack_streams(frame, i, &streams, err) != 0)
        return -1;
    rc = is_shuffled(&frame->head) ? unshuffle(frame, n, err) : unbitshuffle(frame, n, err);
    spill_area_close(u->entry, STREAMS_AREA);
    return rc;
}

/* Room for a block's stored bytes, and for what is in it; NULL if there is not enough. */
struct block_room {
    uint8_t *in, *out;
};

static void take_room(struct frame *frame, struct block_room *room)
{
    struct decoder *decoder = frame->u->decoder;
    const uint64_t block = frame->head.block_size;
    const uint64_t stored = BLOSC1_ROOM + (uint64_t)blosc1_block_cbytes_max(&frame->head, 0);
    const uint64_t need = stored + (1 + COPIES_OF_BLOSC) * block + 512;

    *room = (struct block_room){NULL, NULL};
    if (!size_range_ok(decoder->scratch_used, need, decoder->scratch_max))
        return;
    room->in = decoder_scratch(decoder, stored, NULL);
    room->out = decoder_scratch(decoder, block, NULL);
}

static int short_block(struct frame *frame, uint32_t i, const struct block_room *room,
                       struct err *err)
{
    const size_t n = (size_t)size_min(frame->ends[i] - frame->begins[i],
                                      blosc1_block_cbytes_max(&frame->head, i));

    if (unfold_read(frame->u, frame->begins[i], room->in + BLOSC1_ROOM, n, err) != 0 ||
        blosc1_decode_plain(&frame->head, i, room->in + BLOSC1_ROOM, n, room->out, err) != 0)
        return -1;
    return unfold_put(&frame->sink, room->out, blosc1_block_nbytes(&frame->head, i), err);
}

static int read_index(struct frame *frame, struct err *err)
{
    const size_t nbytes = (size_t)frame->head.nblocks * 4;
    AUTO_FREE uint8_t *table = malloc(nbytes);

    if (table == NULL)
        return err_nomem(err, "%u Blosc blocks", frame->head.nblocks);
    if (unfold_read(frame->u, BLOSC1_HEADER_NBYTES, table, nbytes, err) != 0)
        return -1;
    return blosc1_index(&frame->head, table, &frame->begins, &frame->ends, err);
}

static int undo_blocks(struct frame *frame, struct err *err)
{
    struct block_room room;

    if (frame->head.stored)
        return unfold_unpack(frame->u, PACKED_PLAIN, BLOSC1_HEADER_NBYTES, frame->head.nbytes,
                             &frame->sink, err);
    if (read_index(frame, err) != 0)
        return -1;
    take_room(frame, &room);
    for (uint32_t i = 0; i < frame->head.nblocks; i++)
        if ((room.out != NULL ? short_block(frame, i, &room, err) : long_block(frame, i, err)) != 0)
            return -1;
    return 0;
}

int unfold_blosc(struct unfold *u, uint64_t most, bool exact, struct err *err)
{
    const size_t used = u->decoder->scratch_used;
    struct frame frame = {.u = u};
    uint8_t head[BLOSC1_HEADER_NBYTES];
    int rc;

    if (u->length < sizeof head)
        return err_set(err, ERR_CORRUPT, "too short for a Blosc frame; " DAMAGED);
    if (unfold_read(u, 0, head, sizeof head, err) != 0 ||
        blosc1_parse_header(head, u->length, exact ? most : get_le32(head + 4), &frame.head, err) !=
            0)
        return -1;
    if (frame.head.nbytes > most)
        return err_set(err, ERR_CORRUPT, "Blosc data of %u bytes, too many for a chunk; " DAMAGED,
                       frame.head.nbytes);
    if (unfold_begin(u, frame.head.nbytes, &frame.sink, err) != 0)
        return -1;
    rc = undo_blocks(&frame, err);
    free(frame.begins);
    free(frame.ends);
    u->decoder->scratch_used = used;
    if (rc == 0)
        unfold_end(u, &frame.sink, frame.head.nbytes);
    return rc;
}
