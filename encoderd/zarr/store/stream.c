/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/stream.h"

#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/size.h"
#include "encoderd/zarr/store/damaged.h"
#include "encoderd/zarr/store/stream_lz.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* zstd's own limits for the window of a decoder. */
#define WINDOW_LOG_MIN 10
#define WINDOW_LOG_MAX 27
#define ZLIB_NBYTES    ((size_t)40 << 10)

struct stream {
    struct stream_spec spec;
    struct stream_in in;
    ZSTD_DCtx *zstd; /* owned, as the two below; NULL for other kinds */
    z_stream *zlib;
    struct stream_lz *lz;
    bool broken;  /* the next read starts again */
    bool ended;   /* the compressed data has reached its end */
    uint64_t pos; /* contents given out */
    uint32_t crc32c;
    uLong crc32;
    uint8_t skip[32 << 10];
};

static int corrupt(const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "its compressed data %s; " DAMAGED, what);
}

static int no_memory(struct err *err)
{
    return err_nomem(err, "decompression");
}

static int bad_sum(const char *which, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "its %s does not agree; " DAMAGED, which);
}

/* ---- A decompressor's life ---- */

static int init_zstd(struct stream *stream)
{
    int log = WINDOW_LOG_MIN;

    while (log < WINDOW_LOG_MAX && (size_t)2 << log <= stream->spec.window_max)
        log++;
    stream->zstd = ZSTD_createDCtx();
    return stream->zstd == NULL ||
                   ZSTD_isError(ZSTD_DCtx_setParameter(stream->zstd, ZSTD_d_windowLogMax, log))
               ? -1
               : 0;
}

static int init(struct stream *stream)
{
    static const int zlib_bits[] = {
        [STREAM_GZIP] = 15 + 16, [STREAM_ZLIB] = 15, [STREAM_DEFLATE] = -15};
    const enum stream_kind kind = stream->spec.kind;

    if (kind == STREAM_PLAIN)
        return 0;
    if (kind == STREAM_ZSTD)
        return init_zstd(stream);
    if (kind >= STREAM_LZ4) {
        stream->lz = calloc(1, sizeof *stream->lz);
        return stream->lz == NULL ? -1 : 0;
    }
    stream->zlib = calloc(1, sizeof *stream->zlib);
    return stream->zlib == NULL || inflateInit2(stream->zlib, zlib_bits[kind]) != Z_OK ? -1 : 0;
}

int stream_new(const struct stream_spec *spec, struct stream **out, struct err *err)
{
    struct stream *stream;

    *out = NULL;
    if (spec->crc32c_of_stored && spec->length < 4)
        return corrupt("is too short for its checksum", err);
    stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return no_memory(err);
    stream->spec = *spec;
    stream->spec.length -= spec->crc32c_of_stored ? 4 : 0;
    stream->in.spec = &stream->spec;
    if (init(stream) != 0) {
        stream_free(stream);
        return no_memory(err);
    }
    *out = stream;
    return 0;
}

void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->zlib != NULL)
        inflateEnd(stream->zlib);
    ZSTD_freeDCtx(stream->zstd);
    free(stream->zlib);
    free(stream->lz);
    free(stream);
}

size_t stream_memory(const struct stream *stream)
{
    return sizeof *stream + (stream->zlib != NULL ? ZLIB_NBYTES : 0) +
           (stream->lz != NULL ? sizeof *stream->lz : 0) + ZSTD_sizeof_DCtx(stream->zstd);
}

static void restart(struct stream *stream)
{
    if (stream->zlib != NULL)
        inflateReset(stream->zlib);
    if (stream->zstd != NULL)
        ZSTD_DCtx_reset(stream->zstd, ZSTD_reset_session_only);
    if (stream->lz != NULL)
        memset(stream->lz, 0, sizeof *stream->lz);
    stream->broken = stream->ended = false;
    stream->in.stored = stream->in.at = stream->in.n = 0;
    stream->pos = 0;
    stream->in.crc32c = stream->crc32c = 0;
    stream->crc32 = 0;
}

/* ---- Steps: each writes some contents to `to` ---- */

static bool input_is_over(const struct stream *stream)
{
    return stream_in_left(&stream->in) == 0;
}

int stream_zstd_failed(size_t code, struct err *err)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return err_set(err, ERR_BUDGET,
                       "its zstd data needs a window larger than there is memory for: raise "
                       "--memory, or rewrite the store with smaller chunks");
    case ZSTD_error_memory_allocation:
        return no_memory(err);
    default:
        return corrupt("does not decompress", err);
    }
}

static int step_zstd(struct stream *stream, uint8_t *to, size_t n, size_t *got, struct err *err)
{
    ZSTD_inBuffer in = {stream->in.bytes, stream->in.n, stream->in.at};
    ZSTD_outBuffer out = {to, n, 0};
    size_t left = ZSTD_decompressStream(stream->zstd, &out, &in);

    if (ZSTD_isError(left))
        return stream_zstd_failed(left, err);
    *got = out.pos;
    stream->in.at = in.pos;
    if (left == 0)
        stream->ended = input_is_over(stream);
    else if (out.pos < n && input_is_over(stream))
        return corrupt("ends too early", err);
    return 0;
}

static int step_zlib(struct stream *stream, uint8_t *to, size_t n, size_t *got, struct err *err)
{
    z_stream *z = stream->zlib;
    int rc;

    z->next_in = stream->in.bytes + stream->in.at;
    z->avail_in = (uInt)(stream->in.n - stream->in.at);
    z->next_out = to;
    z->avail_out = (uInt)size_min(n, (size_t)1 << 30);
    rc = inflate(z, Z_NO_FLUSH);
    *got = (size_t)(z->next_out - to);
    stream->in.at = stream->in.n - z->avail_in;
    if (rc == Z_MEM_ERROR)
        return no_memory(err);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return corrupt("does not decompress", err);
    if (rc != Z_STREAM_END)
        return z->avail_out > 0 && input_is_over(stream) ? corrupt("ends too early", err) : 0;
    stream->ended = input_is_over(stream);
    if (stream->ended)
        return 0;
    /* A gzip file may consist of several members. */
    return stream->spec.kind == STREAM_GZIP && inflateReset(z) == Z_OK
               ? 0
               : corrupt("is followed by something else", err);
}

static int step_plain(struct stream *stream, uint8_t *to, size_t n, size_t *got)
{
    *got = size_min(n, stream->in.n - stream->in.at);
    memcpy(to, stream->in.bytes + stream->in.at, *got);
    stream->in.at += *got;
    stream->ended = input_is_over(stream);
    return 0;
}

static int step(struct stream *stream, uint8_t *to, size_t n, size_t *got, struct err *err)
{
    int rc;

    if (stream->in.at == stream->in.n && !input_is_over(stream) &&
        stream_in_more(&stream->in, err) != 0)
        return -1;
    if (stream->zstd != NULL)
        return step_zstd(stream, to, n, got, err);
    if (stream->zlib != NULL)
        return step_zlib(stream, to, n, got, err);
    if (stream->lz == NULL)
        return step_plain(stream, to, n, got);
    rc = stream_lz_step(stream->lz, &stream->in, to, n, got, err);
    stream->ended = stream->lz->ended;
    return rc;
}

int stream_pull(struct stream *stream, uint8_t *to, size_t n, size_t *got, struct err *err)
{
    for (*got = 0; *got < n && !stream->ended;) {
        size_t more = 0;

        if (step(stream, to + *got, n - *got, &more, err) != 0)
            return -1;
        *got += more;
    }
    return 0;
}

/* ---- Reading, and checks of the whole ---- */

/* All contents were written: checks what follows them, and the checksums. */
static int finish(struct stream *stream, struct err *err)
{
    const struct stream_spec *spec = &stream->spec;
    const size_t due = spec->crc32c_of_contents ? 4 : 0;
    uint8_t rest[5];
    size_t got;

    if (stream_pull(stream, rest, due + 1, &got, err) != 0)
        return -1;
    if (got != due || !stream->ended)
        return corrupt(got < due ? "is too short" : "is longer than it may be", err);
    if (due > 0 && get_le32(rest) != stream->crc32c)
        return bad_sum("crc32c checksum", err);
    if (spec->has_crc32 && stream->crc32 != spec->crc32)
        return bad_sum("CRC-32", err);
    if (!spec->crc32c_of_stored)
        return 0;
    if (spec->read(spec->arg, spec->length, rest, 4, err) != 0)
        return -1;
    return get_le32(rest) == stream->in.crc32c ? 0 : bad_sum("crc32c checksum", err);
}

static int advance(struct stream *stream, uint8_t *to, size_t n, struct err *err)
{
    size_t got;

    if (stream_pull(stream, to, n, &got, err) != 0)
        return -1;
    if (got < n)
        return corrupt("is too short", err);
    if (stream->spec.crc32c_of_contents)
        stream->crc32c = crc32c_more(stream->crc32c, to, n);
    if (stream->spec.has_crc32)
        stream->crc32 = crc32_z(stream->crc32, to, n);
    stream->pos += n;
    return stream->pos == stream->spec.nbytes ? finish(stream, err) : 0;
}

int stream_read(struct stream *stream, uint64_t offset, void *to, size_t n, struct err *err)
{
    if (!size_range_ok(offset, n, stream->spec.nbytes))
        return err_set(err, ERR_USAGE, "bytes past the end of a stream");
    if (n == 0)
        return 0;
    if (stream->broken || stream->pos > offset)
        restart(stream);
    stream->broken = true;
    while (stream->pos < offset)
        if (advance(stream, stream->skip,
                    (size_t)size_min(sizeof stream->skip, offset - stream->pos), err) != 0)
            return -1;
    if (advance(stream, to, n, err) != 0)
        return -1;
    stream->broken = false;
    return 0;
}
