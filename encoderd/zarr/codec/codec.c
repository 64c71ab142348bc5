/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/codec/codec.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/crc32c.h"
#include "common/size.h"
#include "encoderd/zarr/codec/blosc1_decode.h"
#include "encoderd/zarr/store/damaged.h"

#include <lz4.h>
#include <string.h>
#include <zstd_errors.h>

/* The limit of a codec's output. */
struct limit {
    size_t nbytes;
    bool is_budget;
};

/* The result of decoding into room of limited size. */
enum outcome { DECODED, TOO_SMALL, BROKEN };

int codecs_init(struct codecs *codecs, struct err *err)
{
    codecs->zstd = ZSTD_createDCtx();
    codecs->deflate = libdeflate_alloc_decompressor();
    if (codecs->zstd != NULL && codecs->deflate != NULL)
        return 0;
    codecs_free(codecs);
    return err_nomem(err, "decompression");
}

void codecs_free(struct codecs *codecs)
{
    ZSTD_freeDCtx(codecs->zstd);
    libdeflate_free_decompressor(codecs->deflate);
    *codecs = (struct codecs){0};
}

static enum outcome decode_zstd(const struct codecs *codecs, const uint8_t *from, size_t n,
                                uint8_t *to, size_t room, size_t *got)
{
    *got = ZSTD_decompressDCtx(codecs->zstd, to, room, from, n);
    if (!ZSTD_isError(*got))
        return DECODED;
    return ZSTD_getErrorCode(*got) == ZSTD_error_dstSize_tooSmall ? TOO_SMALL : BROKEN;
}

static enum outcome deflate_outcome(enum libdeflate_result result)
{
    if (result == LIBDEFLATE_SUCCESS)
        return DECODED;
    return result == LIBDEFLATE_INSUFFICIENT_SPACE ? TOO_SMALL : BROKEN;
}

/* A gzip file may consist of several members. */
static enum outcome decode_gzip(const struct codecs *codecs, const uint8_t *from, size_t n,
                                uint8_t *to, size_t room, size_t *got)
{
    *got = 0;
    do {
        size_t in = 0, out = 0;
        enum outcome outcome = deflate_outcome(libdeflate_gzip_decompress_ex(
            codecs->deflate, from, n, to + *got, room - *got, &in, &out));

        if (outcome != DECODED)
            return outcome;
        from += in;
        n -= in;
        *got += out;
    } while (n > 0);
    return DECODED;
}

static enum outcome decode_zlib(const struct codecs *codecs, const uint8_t *from, size_t n,
                                uint8_t *to, size_t room, size_t *got)
{
    size_t in = 0;
    enum outcome outcome = deflate_outcome(
        libdeflate_zlib_decompress_ex(codecs->deflate, from, n, to, room, &in, got));

    return outcome == DECODED && in != n ? BROKEN : outcome;
}

static enum outcome decode_lz4(const uint8_t *from, size_t n, uint8_t *to, size_t room, size_t *got)
{
    uint32_t nbytes = n >= 4 ? get_le32(from) : 0;
    int rc;

    if (n < 4 || n - 4 > INT32_MAX || nbytes > INT32_MAX)
        return BROKEN;
    if (nbytes > room)
        return TOO_SMALL;
    rc = LZ4_decompress_safe((const char *)from + 4, (char *)to, (int)(n - 4), (int)nbytes);
    *got = nbytes;
    return rc >= 0 && (uint32_t)rc == nbytes ? DECODED : BROKEN;
}

static enum outcome decode_into(const struct codecs *codecs, enum codec_id id, const uint8_t *from,
                                size_t n, uint8_t *to, size_t room, size_t *got)
{
    switch (id) {
    case CODEC_ZSTD:
        return decode_zstd(codecs, from, n, to, room, got);
    case CODEC_GZIP:
        return decode_gzip(codecs, from, n, to, room, got);
    case CODEC_ZLIB:
        return decode_zlib(codecs, from, n, to, room, got);
    case CODEC_LZ4:
        return decode_lz4(from, n, to, room, got);
    case CODEC_BLOSC:
    case CODEC_CRC32C:
        break;
    }
    return BROKEN;
}

static const char *codec_name(enum codec_id id)
{
    static const char *const names[] = {
        [CODEC_BLOSC] = "Blosc", [CODEC_ZSTD] = "zstd", [CODEC_GZIP] = "gzip",
        [CODEC_ZLIB] = "zlib",   [CODEC_LZ4] = "LZ4",   [CODEC_CRC32C] = "crc32c",
    };

    return names[id];
}

/* How much output to expect. Only blosc's header must be right; for others it is a guess. */
static size_t guess_nbytes(enum codec_id id, const uint8_t *from, size_t n)
{
    unsigned long long size;

    switch (id) {
    case CODEC_BLOSC:
        return n >= BLOSC1_HEADER_NBYTES ? get_le32(from + 4) : 0;
    case CODEC_LZ4:
        return n >= 4 ? get_le32(from) : 0;
    case CODEC_ZSTD:
        size = ZSTD_getFrameContentSize(from, n);
        if (size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR)
            return (size_t)size;
        break;
    default:
        break;
    }
    return n * 4;
}

/* The output is over its limit. For a chunk of known size the data is damaged. For strings the
 * chunk may really be that large, so it is the budget that is too small. */
static int too_large(enum codec_id id, const struct limit *limit, struct err *err)
{
    if (limit->is_budget)
        return err_set(
            err, ERR_BUDGET,
            "%s data of more than the %zu bytes that are decoded at once: raise --memory, "
            "or rewrite the store with smaller chunks",
            codec_name(id), limit->nbytes);
    return err_set(err, ERR_CORRUPT, "%s data of more than %zu bytes; " DAMAGED, codec_name(id),
                   limit->nbytes);
}

static int decode_blosc_buf(const uint8_t *from, size_t n, const struct limit *limit,
                            struct buf *out, struct err *err)
{
    size_t nbytes = guess_nbytes(CODEC_BLOSC, from, n);
    uint8_t *to;

    if (nbytes > limit->nbytes)
        return too_large(CODEC_BLOSC, limit, err);
    to = buf_reserve(out, nbytes);
    if (to == NULL)
        return err_nomem(err, "%zu bytes", nbytes);
    if (blosc1_decode_frame(from, n, nbytes, to, err) != 0)
        return -1;
    out->len += nbytes;
    return 0;
}

/* Doubles the room until the output fits. That is rarely needed, because most formats state their
 * size. */
static int decode_buf(const struct codecs *codecs, enum codec_id id, const uint8_t *from, size_t n,
                      const struct limit *limit, struct buf *out, struct err *err)
{
    size_t room = guess_nbytes(id, from, n), max = limit->nbytes;

    if (id == CODEC_BLOSC)
        return decode_blosc_buf(from, n, limit, out, err);
    for (room = size_max(size_min(room, max), 64);; room = size_min(room * 2, max)) {
        uint8_t *to = buf_reserve(out, room);
        enum outcome outcome;
        size_t got = 0;

        if (to == NULL)
            return err_nomem(err, "%zu bytes", room);
        outcome = decode_into(codecs, id, from, n, to, room, &got);
        if (outcome == DECODED) {
            out->len += got;
            return 0;
        }
        if (outcome == TOO_SMALL && room >= max)
            return too_large(id, limit, err);
        if (outcome == BROKEN)
            return err_set(err, ERR_CORRUPT, "its %s data does not decompress; " DAMAGED,
                           codec_name(id));
    }
}

static int decode_exact(const struct codecs *codecs, enum codec_id id, const uint8_t *from,
                        size_t n, uint8_t *to, size_t nbytes, struct err *err)
{
    enum outcome outcome;
    size_t got = 0;

    if (id == CODEC_BLOSC)
        return blosc1_decode_frame(from, n, nbytes, to, err);
    outcome = decode_into(codecs, id, from, n, to, nbytes, &got);
    if (outcome == BROKEN)
        return err_set(err, ERR_CORRUPT, "its %s data does not decompress; " DAMAGED,
                       codec_name(id));
    if (outcome == TOO_SMALL || got != nbytes)
        return err_set(err, ERR_CORRUPT,
                       "its %s data does not have the %zu bytes of a chunk; " DAMAGED,
                       codec_name(id), nbytes);
    return 0;
}

static int check_crc(const uint8_t *from, size_t *n, struct err *err)
{
    if (*n < 4 || crc32c(from, *n - 4) != get_le32(from + *n - 4))
        return err_set(err, ERR_CORRUPT, "its crc32c checksum does not agree; " DAMAGED);
    *n -= 4;
    return 0;
}

/* Undoes the checksums, and all codecs but the first. *from and *n become the input of the first
 * codec, perhaps in `spare`. *first is false if no codec is left to undo. */
static int peel(const struct codecs *codecs, const struct zarr_meta *meta,
                const struct limit *limit, const uint8_t **from, size_t *n, struct buf spare[2],
                bool *first, struct err *err)
{
    unsigned turn = 0;

    for (size_t k = meta->ncodecs; k > 0; k--) {
        struct buf *to = &spare[turn];

        *first = true;
        if (meta->codecs[k - 1] == CODEC_CRC32C) {
            if (check_crc(*from, n, err) != 0)
                return -1;
            *first = false;
            continue;
        }
        if (k == 1)
            return 0;
        buf_reset(to);
        if (decode_buf(codecs, meta->codecs[k - 1], *from, *n, limit, to, err) != 0)
            return -1;
        *from = to->data;
        *n = to->len;
        turn = 1 - turn;
    }
    *first = false;
    return 0;
}

int codecs_decode(const struct codecs *codecs, const struct zarr_meta *meta, const uint8_t *from,
                  size_t n, uint8_t *to, size_t nbytes, struct err *err)
{
    struct buf spare[2] = {0};
    bool first = false;
    /* The output of a compressor can be only a little longer than its input. */
    const struct limit limit = {nbytes + nbytes / 8 + 4096, false};
    int rc = peel(codecs, meta, &limit, &from, &n, spare, &first, err);

    if (rc == 0 && first) {
        rc = decode_exact(codecs, meta->codecs[0], from, n, to, nbytes, err);
    } else if (rc == 0 && n != nbytes) {
        rc = err_set(err, ERR_CORRUPT, "it has %zu bytes where a chunk has %zu; " DAMAGED, n,
                     nbytes);
    } else if (rc == 0) {
        memcpy(to, from, nbytes);
    }
    buf_free(&spare[0]);
    buf_free(&spare[1]);
    return rc;
}

int codecs_decode_buf(const struct codecs *codecs, const struct zarr_meta *meta,
                      const uint8_t *from, size_t n, size_t max, struct buf *out, struct err *err)
{
    struct buf spare[2] = {0};
    bool first = false;
    const struct limit limit = {max, true};
    int rc = peel(codecs, meta, &limit, &from, &n, spare, &first, err);

    if (rc == 0 && first)
        rc = decode_buf(codecs, meta->codecs[0], from, n, &limit, out, err);
    else if (rc == 0)
        buf_append(out, from, n);
    if (rc == 0 && out->failed)
        rc = err_nomem(err, "%zu bytes", n);
    buf_free(&spare[0]);
    buf_free(&spare[1]);
    return rc;
}
