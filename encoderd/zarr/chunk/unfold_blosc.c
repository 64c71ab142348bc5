/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unfold_blosc: Blosc frames that fit no memory, or whose blocks do not.
 *
 * Blocks that fit are decoded by c-blosc. The streams of longer blocks are decompressed one by one
 * into an area of their own; if they are shuffled, c-blosc un-shuffles them from there, some
 * elements at a time. Format: c-blosc README_CHUNK_FORMAT, and its function blosc_d.
 */
#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/unfold_impl.h"
#include "encoderd/zarr/codec/blosc1_decode.h"
#include "encoderd/zarr/store/damaged.h"

#define FLAG_SHUFFLE    0x01
#define FLAG_BITSHUFFLE 0x04
#define FLAG_UNSPLIT    0x10
/* c-blosc splits a block into one stream for each byte of an element if elements are short and
 * there are enough of them. */
#define SPLITS_MAX   16
#define SPLIT_NBYTES 128

struct unfold_frame {
    struct unfold *u;
    struct blosc1_frame head;
    uint32_t *begins, *ends; /* owned */
};

static enum stream_kind stream_kind(const struct blosc1_frame *head)
{
    static const enum stream_kind kinds[] = {
        [BLOSC1_BLOSCLZ] = STREAM_BLOSCLZ, [BLOSC1_LZ4] = STREAM_LZ4,
        [BLOSC1_SNAPPY] = STREAM_SNAPPY,   [BLOSC1_ZLIB] = STREAM_ZLIB,
        [BLOSC1_ZSTD] = STREAM_ZSTD,
    };

    return kinds[blosc1_frame_codec(head)];
}

static int bad_block(const struct unfold_frame *frame, uint32_t i, const char *what,
                     struct err *err)
{
    return err_set(err, ERR_CORRUPT, "Blosc block %u of %u %s; " DAMAGED, i, frame->head.nblocks,
                   what);
}

/* How many planes block i is stored as: one for each byte of an element, or for each bit; 0 if it
 * is not shuffled. Either all its elements are shuffled or none. */
static uint32_t nplanes(const struct blosc1_frame *head, uint32_t i)
{
    const uint32_t n = blosc1_block_nbytes(head, i), size = head->typesize;

    if ((head->flags & FLAG_SHUFFLE) != 0 && size > 1)
        return n < size ? 0 : size;
    return (head->flags & FLAG_BITSHUFFLE) != 0 && n >= size && n / size % 8 == 0 ? 8 * size : 0;
}

static uint32_t nsplits(const struct blosc1_frame *head, uint32_t i)
{
    const uint32_t n = blosc1_block_nbytes(head, i);

    return (head->flags & FLAG_UNSPLIT) == 0 && head->typesize <= SPLITS_MAX &&
                   n / head->typesize >= SPLIT_NBYTES && n == head->block_size
               ? head->typesize
               : 1;
}

/* Decompresses one stream of a block: its length, then that many bytes, which may be the contents
 * themselves. */
static int unpack_stream(struct unfold_frame *frame, uint32_t i, uint64_t *at, uint64_t nbytes,
                         unsigned area, struct err *err)
{
    struct unfold *u = frame->u;
    const uint64_t end = spill_nbytes(u->entry, area) + nbytes;
    uint8_t head[4];
    uint32_t len;

    if (frame->ends[i] - *at < sizeof head)
        return bad_block(frame, i, "runs past its own end", err);
    if (unfold_read(u, *at, head, sizeof head, err) != 0)
        return -1;
    len = get_le32(head);
    if (len == 0 || len > frame->ends[i] - *at - sizeof head)
        return bad_block(frame, i, "runs past its own end", err);
    if (unfold_unpack(u, len == nbytes ? STREAM_PLAIN : stream_kind(&frame->head),
                      *at + sizeof head, len, nbytes, area, err) != 0)
        return -1;
    if (spill_nbytes(u->entry, area) != end)
        return bad_block(frame, i, "does not decompress", err);
    *at += sizeof head + len;
    return 0;
}

static int unpack_streams(struct unfold_frame *frame, uint32_t i, unsigned area, struct err *err)
{
    const uint32_t n = nsplits(&frame->head, i);
    const uint64_t each = blosc1_block_nbytes(&frame->head, i) / n;
    uint64_t at = frame->begins[i];

    for (uint32_t k = 0; k < n; k++)
        if (unpack_stream(frame, i, &at, each, area, err) != 0)
            return -1;
    /* The streams must divide the block evenly; c-blosc fails otherwise, too. */
    if (each * n != blosc1_block_nbytes(&frame->head, i))
        return bad_block(frame, i, "does not decompress", err);
    return 0;
}

/* Un-shuffles bytes [at, at + n) of every plane. Together they are a shuffled block of their own,
 * which c-blosc gets in a frame that is not compressed. */
static int unshuffle_some(struct unfold_frame *frame, uint32_t planes, uint32_t each, uint32_t at,
                          uint32_t n, struct err *err)
{
    struct unfold *u = frame->u;
    uint8_t *in = u->in + BLOSC1_ROOM;
    struct blosc1_frame some = frame->head;

    some.flags |= FLAG_UNSPLIT;
    some.nblocks = 1;
    some.nbytes = some.block_size = n * planes;
    put_le32(in, some.nbytes);
    for (uint32_t p = 0; p < planes; p++)
        if (spill_read(u->entry, UNFOLD_STREAMS, (uint64_t)p * each + at, in + 4 + (size_t)p * n, n,
                       err) != 0)
            return -1;
    if (blosc1_decode_plain(&some, 0, in, 4 + (size_t)some.nbytes, u->out, err) != 0)
        return -1;
    return spill_append(u->entry, UNFOLD_NEXT, u->out, some.nbytes, err);
}

/* Bytes after the last whole element are not shuffled. */
static int unshuffle(struct unfold_frame *frame, uint32_t i, uint32_t planes, struct err *err)
{
    struct unfold *u = frame->u;
    const uint32_t nbytes = blosc1_block_nbytes(&frame->head, i), each = nbytes / planes;
    const uint32_t most = (uint32_t)((u->room - BLOSC1_ROOM - 4) / planes);
    const uint32_t rest = nbytes % planes;

    for (uint32_t at = 0; at < each; at += most)
        if (unshuffle_some(frame, planes, each, at, (uint32_t)size_min(most, each - at), err) != 0)
            return -1;
    if (spill_read(u->entry, UNFOLD_STREAMS, nbytes - rest, u->in, rest, err) != 0)
        return -1;
    return spill_append(u->entry, UNFOLD_NEXT, u->in, rest, err);
}

static int long_block(struct unfold_frame *frame, uint32_t i, struct err *err)
{
    struct spill_entry *entry = frame->u->entry;
    const uint32_t planes = nplanes(&frame->head, i);

    if (planes == 0)
        return unpack_streams(frame, i, UNFOLD_NEXT, err);
    if (spill_open(entry, UNFOLD_STREAMS, blosc1_block_nbytes(&frame->head, i), err) != 0 ||
        unpack_streams(frame, i, UNFOLD_STREAMS, err) != 0 || unshuffle(frame, i, planes, err) != 0)
        return -1;
    spill_close(entry, UNFOLD_STREAMS);
    return 0;
}

/* Do the stored bytes and the contents of block 0, the longest, fit into the windows? c-blosc
 * allocates two more blocks itself, for which half of the scratch is left. */
static bool is_short(const struct unfold_frame *frame)
{
    const size_t room = frame->u->room;

    return frame->head.block_size <= room &&
           BLOSC1_ROOM + blosc1_block_cbytes_max(&frame->head, 0) <= room;
}

static int short_block(struct unfold_frame *frame, uint32_t i, struct err *err)
{
    struct unfold *u = frame->u;
    const size_t n = (size_t)size_min(frame->ends[i] - frame->begins[i],
                                      blosc1_block_cbytes_max(&frame->head, i));

    if (unfold_read(u, frame->begins[i], u->in + BLOSC1_ROOM, n, err) != 0 ||
        blosc1_decode_plain(&frame->head, i, u->in + BLOSC1_ROOM, n, u->out, err) != 0)
        return -1;
    return spill_append(u->entry, UNFOLD_NEXT, u->out, blosc1_block_nbytes(&frame->head, i), err);
}

static int read_index(struct unfold_frame *frame, struct err *err)
{
    const size_t nbytes = (size_t)frame->head.nblocks * 4;
    AUTO_FREE uint8_t *table = malloc(nbytes);

    if (table == NULL)
        return err_nomem(err, "%u Blosc blocks", frame->head.nblocks);
    if (unfold_read(frame->u, BLOSC1_HEADER_NBYTES, table, nbytes, err) != 0)
        return -1;
    return blosc1_index(&frame->head, table, &frame->begins, &frame->ends, err);
}

static int undo_blocks(struct unfold_frame *frame, struct err *err)
{
    int rc = 0;

    if (frame->head.stored)
        return unfold_unpack(frame->u, STREAM_PLAIN, BLOSC1_HEADER_NBYTES, frame->head.nbytes,
                             frame->head.nbytes, UNFOLD_NEXT, err);
    if (read_index(frame, err) != 0)
        return -1;
    for (uint32_t i = 0; i < frame->head.nblocks && rc == 0; i++)
        rc = is_short(frame) ? short_block(frame, i, err) : long_block(frame, i, err);
    return rc;
}

int unfold_blosc(struct unfold *u, uint64_t most, bool exact, struct err *err)
{
    struct unfold_frame frame = {.u = u};
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
    if (unfold_begin(u, frame.head.nbytes, err) != 0)
        return -1;
    rc = undo_blocks(&frame, err);
    free(frame.begins);
    free(frame.ends);
    return rc != 0 ? -1 : unfold_end(u);
}
