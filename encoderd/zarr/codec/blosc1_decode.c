/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/codec/blosc1_decode.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/codec/zstd_zeros.h"
#include "encoderd/zarr/store/damaged.h"

#include <blosc.h>
#include <string.h>

#define FLAG_BITSHUFFLE 0x04
#define FLAG_UNSPLIT    0x10
/* c-blosc splits a block into at most this many streams. */
#define STREAMS_MAX 16

size_t blosc1_block_cbytes_max(const struct blosc1_frame *frame, uint32_t i)
{
    size_t nbytes = blosc1_block_nbytes(frame, i);

    /* The worst growth of snappy: a sixth and 32 bytes a stream. */
    return nbytes + nbytes / 6 + (4 + 32) * STREAMS_MAX;
}

static int bad_block(const struct blosc1_frame *frame, uint32_t i, const char *what,
                     struct err *err)
{
    return err_set(err, ERR_CORRUPT, "Blosc block %u of %u %s; " DAMAGED, i, frame->nblocks, what);
}

/* The length of the block's first stream, after checking that the block's extent holds it. */
static int first_stream(const struct blosc1_frame *frame, uint32_t i, const uint8_t *in, size_t n,
                        uint32_t *len, struct err *err)
{
    *len = n >= 4 ? get_le32(in) : 0;
    if (n < 4 || *len == 0 || *len > n - 4)
        return bad_block(frame, i, "runs past its own end", err);
    return 0;
}

static bool have_compressor(enum blosc1_codec codec)
{
    static const char *const names[] = {"blosclz", "lz4", "snappy", "zlib", "zstd"};

    return strstr(blosc_list_compressors(), names[codec]) != NULL;
}

/* Builds the header of a one-block frame. The last, shorter block of a frame is never split into
 * streams. In a frame of its own c-blosc would take it for a full block, which may be split, so the
 * flag for an unsplit block is set. */
static void build_frame(const struct blosc1_frame *frame, uint32_t i, uint8_t flags, uint8_t *at,
                        size_t n)
{
    uint32_t nbytes = blosc1_block_nbytes(frame, i);

    if (nbytes < frame->block_size)
        flags |= FLAG_UNSPLIT;
    at[0] = 2;
    at[1] = frame->version_lz;
    at[2] = flags;
    at[3] = frame->typesize;
    put_le32(at + 4, nbytes);
    put_le32(at + 8, nbytes);
    put_le32(at + 12, (uint32_t)(BLOSC1_ROOM + n));
    put_le32(at + 16, BLOSC1_ROOM);
}

static int decode_block(const struct blosc1_frame *frame, uint32_t i, uint8_t flags, uint8_t *in,
                        size_t n, uint8_t *out, struct err *err)
{
    uint32_t nbytes = blosc1_block_nbytes(frame, i), len;
    uint8_t before[BLOSC1_ROOM];
    int got;

    if (first_stream(frame, i, in, n, &len, err) != 0)
        return -1;
    memcpy(before, in - BLOSC1_ROOM, sizeof before);
    build_frame(frame, i, flags, in - BLOSC1_ROOM, n);
    got = blosc_decompress_ctx(in - BLOSC1_ROOM, out, nbytes, 1);
    memcpy(in - BLOSC1_ROOM, before, sizeof before);
    if (got >= 0 && (uint32_t)got == nbytes)
        return 0;
    if (!have_compressor(blosc1_frame_codec(frame)))
        return err_set(err, ERR_UNSUPPORTED, "this system's c-blosc has no compressor number %d",
                       (int)blosc1_frame_codec(frame));
    return bad_block(frame, i, "does not decompress", err);
}

int blosc1_decode_plain(const struct blosc1_frame *frame, uint32_t i, uint8_t *in, size_t n,
                        uint8_t *out, struct err *err)
{
    return decode_block(frame, i, frame->flags, in, n, out, err);
}

/* Decodes a zstd frame to planes: first what the frame has before its final zeroes, then as many
 * zeroes as are wanted. */
static int decode_zstd(uint8_t *in, size_t n, size_t nbytes, ZSTD_DCtx *zstd, uint8_t *out,
                       struct planes *planes)
{
    const size_t stored = n, there = zstd_cut_zeros(in, &n, nbytes);
    const size_t low = PLANES_LOW * (nbytes / PLANES_ALL);
    const size_t wanted = there > low ? nbytes : low;
    bool failed;

    /* The output has more room than the shortened frame needs, so that zstd need not slow down near
     * its end. */
    failed = there > 0 && ZSTD_decompressDCtx(zstd, out, nbytes, in, n) != there;
    if (n < stored)
        zstd_uncut_zeros(in, n, nbytes);
    if (failed)
        return -1;
    memset(out + there, 0, wanted - there);
    planes->n = wanted == nbytes ? PLANES_ALL : PLANES_LOW;
    return 0;
}

int blosc1_decode_planes(const struct blosc1_frame *frame, uint32_t i, uint8_t *in, size_t n,
                         ZSTD_DCtx *zstd, uint8_t *out, struct planes *planes, struct err *err)
{
    uint32_t nbytes = blosc1_block_nbytes(frame, i), len;

    if (first_stream(frame, i, in, n, &len, err) != 0)
        return -1;
    *planes = (struct planes){.at = out, .nbytes = nbytes / PLANES_ALL, .n = PLANES_ALL};
    if (len == nbytes) {
        planes->at = in + 4;
        return 0;
    }
    /* With one-byte elements, clearing the flag for bit-shuffling changes nothing else. */
    if (blosc1_frame_codec(frame) != BLOSC1_ZSTD)
        return decode_block(frame, i, frame->flags & (uint8_t)~FLAG_BITSHUFFLE, in, n, out, err);
    if (decode_zstd(in + 4, len, nbytes, zstd, out, planes) != 0)
        return bad_block(frame, i, "does not decompress", err);
    return 0;
}

static int decode_blocks(const struct blosc1_frame *frame, const uint8_t *from,
                         const uint32_t *begins, const uint32_t *ends, uint8_t *out,
                         struct err *err)
{
    AUTO_FREE uint8_t *room = malloc(BLOSC1_ROOM + blosc1_block_cbytes_max(frame, 0));

    if (room == NULL)
        return err_nomem(err, "a Blosc block");
    for (uint32_t i = 0; i < frame->nblocks; i++) {
        size_t n = size_min(ends[i] - begins[i], blosc1_block_cbytes_max(frame, i));

        memcpy(room + BLOSC1_ROOM, from + begins[i], n);
        if (blosc1_decode_plain(frame, i, room + BLOSC1_ROOM, n,
                                out + (size_t)i * frame->block_size, err) != 0)
            return -1;
    }
    return 0;
}

int blosc1_decode_frame(const uint8_t *from, size_t n, uint64_t nbytes, uint8_t *out,
                        struct err *err)
{
    AUTO_FREE uint32_t *begins = NULL, *ends = NULL;
    struct blosc1_frame frame;

    if (n < BLOSC1_HEADER_NBYTES)
        return err_set(err, ERR_CORRUPT, "too short for a Blosc frame; " DAMAGED);
    if (blosc1_parse_header(from, n, nbytes, &frame, err) != 0)
        return -1;
    if (frame.stored) {
        memcpy(out, from + BLOSC1_HEADER_NBYTES, (size_t)nbytes);
        return 0;
    }
    if (blosc1_index(&frame, from + BLOSC1_HEADER_NBYTES, &begins, &ends, err) != 0)
        return -1;
    return decode_blocks(&frame, from, begins, ends, out, err);
}
