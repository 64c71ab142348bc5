/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/stream.h"

#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/size.h"
#include "encoderd/zarr/store/damaged.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define IN_NBYTES   ((size_t)64 << 10)
#define SKIP_NBYTES ((size_t)32 << 10)
/* zstd's own bounds for what a decoder may be told. */
#define WINDOW_LOG_MIN 10
#define WINDOW_LOG_MAX 27

struct stream {
    struct stream_spec spec;
    ZSTD_DCtx *zstd;
    z_stream zlib;
    bool have_zlib;
    bool broken;        /* the next read starts again */
    bool ended;         /* the compressed data says that it is over */
    uint64_t pos;       /* contents given out */
    uint64_t stored;    /* stored bytes taken in, checksum left out */
    size_t in_at, in_n; /* unused input: in[in_at .. in_n) */
    uint32_t crc32c_in, crc32c_out;
    uLong crc32_out;
    uint8_t in[IN_NBYTES];
    uint8_t skip[SKIP_NBYTES];
};

static int corrupt(const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "its compressed data %s; " DAMAGED, what);
}

static int window_log(size_t window_max)
{
    int log = WINDOW_LOG_MIN;

    while (log < WINDOW_LOG_MAX && (size_t)2 << log <= window_max)
        log++;
    return log;
}

static int init_zlib(struct stream *stream, struct err *err)
{
    int bits = stream->spec.kind == STREAM_GZIP   ? 15 + 16
               : stream->spec.kind == STREAM_ZLIB ? 15
                                                  : -15;

    if (inflateInit2(&stream->zlib, bits) != Z_OK)
        return err_nomem(err, "decompression");
    stream->have_zlib = true;
    return 0;
}

static int init_zstd(struct stream *stream, struct err *err)
{
    stream->zstd = ZSTD_createDCtx();
    if (stream->zstd == NULL ||
        ZSTD_isError(ZSTD_DCtx_setParameter(stream->zstd, ZSTD_d_windowLogMax,
                                            window_log(stream->spec.window_max))))
        return err_nomem(err, "decompression");
    return 0;
}

int stream_new(const struct stream_spec *spec, struct stream **out, struct err *err)
{
    struct stream *stream = calloc(1, sizeof *stream);
    int rc = 0;

    *out = NULL;
    if (stream == NULL)
        return err_nomem(err, "decompression");
    stream->spec = *spec;
    if (spec->kind == STREAM_ZSTD)
        rc = init_zstd(stream, err);
    else if (spec->kind != STREAM_PLAIN)
        rc = init_zlib(stream, err);
    if (rc == 0 && spec->crc32c_of_stored && spec->length < 4)
        rc = corrupt("is too short for its checksum", err);
    if (rc != 0) {
        stream_free(stream);
        return -1;
    }
    stream->spec.length -= spec->crc32c_of_stored ? 4 : 0;
    *out = stream;
    return 0;
}

void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->have_zlib)
        inflateEnd(&stream->zlib);
    ZSTD_freeDCtx(stream->zstd);
    free(stream);
}

size_t stream_memory(const struct stream *stream)
{
    /* zlib's own is about 40 KiB. */
    return sizeof *stream + (stream->have_zlib ? (size_t)40 << 10 : 0) +
           ZSTD_sizeof_DCtx(stream->zstd);
}

static void restart(struct stream *stream)
{
    if (stream->have_zlib)
        inflateReset(&stream->zlib);
    if (stream->zstd != NULL)
        ZSTD_DCtx_reset(stream->zstd, ZSTD_reset_session_only);
    stream->broken = stream->ended = false;
    stream->pos = stream->stored = 0;
    stream->in_at = stream->in_n = 0;
    stream->crc32c_in = stream->crc32c_out = 0;
    stream->crc32_out = crc32(0, NULL, 0);
}

static bool input_is_over(const struct stream *stream)
{
    return stream->in_at == stream->in_n && stream->stored == stream->spec.length;
}

static int refill(struct stream *stream, struct err *err)
{
    size_t n = (size_t)size_min(IN_NBYTES, stream->spec.length - stream->stored);

    if (stream->spec.read(stream->spec.arg, stream->stored, stream->in, n, err) != 0)
        return -1;
    if (stream->spec.crc32c_of_stored)
        stream->crc32c_in = crc32c_more(stream->crc32c_in, stream->in, n);
    stream->stored += n;
    stream->in_at = 0;
    stream->in_n = n;
    return 0;
}

static int step_zstd(struct stream *stream, uint8_t *to, size_t n, size_t *got, struct err *err)
{
    ZSTD_inBuffer in = {stream->in, stream->in_n, stream->in_at};
    ZSTD_outBuffer out = {to, n, 0};
    size_t left = ZSTD_decompressStream(stream->zstd, &out, &in);

    if (ZSTD_isError(left) && ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
        return err_set(err, ERR_BUDGET,
                       "its zstd data needs a window larger than there is memory for: raise "
                       "--memory, or rewrite the store with smaller chunks");
    if (ZSTD_isError(left) && ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation)
        return err_nomem(err, "decompression");
    if (ZSTD_isError(left))
        return corrupt("does not decompress", err);
    *got = out.pos;
    stream->in_at = in.pos;
    if (left == 0)
        stream->ended = input_is_over(stream);
    else if (out.pos < n && input_is_over(stream))
        return corrupt("ends too early", err);
    return 0;
}

static int step_zlib(struct stream *stream, uint8_t *to, size_t n, size_t *got, struct err *err)
{
    z_stream *z = &stream->zlib;
    int rc;

    z->next_in = stream->in + stream->in_at;
    z->avail_in = (uInt)(stream->in_n - stream->in_at);
    z->next_out = to;
    z->avail_out = (uInt)size_min(n, (size_t)1 << 30);
    n = z->avail_out;
    rc = inflate(z, Z_NO_FLUSH);
    *got = n - z->avail_out;
    stream->in_at = stream->in_n - z->avail_in;
    if (rc == Z_MEM_ERROR)
        return err_nomem(err, "decompression");
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return corrupt("does not decompress", err);
    if (rc == Z_STREAM_END) {
        stream->ended = stream->spec.kind != STREAM_GZIP || input_is_over(stream);
        /* A gzip file may be several members in a row. */
        if (!stream->ended)
            inflateReset(z);
        else if (!input_is_over(stream))
            return corrupt("is followed by something else", err);
        return 0;
    }
    return z->avail_out > 0 && input_is_over(stream) ? corrupt("ends too early", err) : 0;
}

static int step_plain(struct stream *stream, uint8_t *to, size_t n, size_t *got)
{
    *got = size_min(n, stream->in_n - stream->in_at);
    memcpy(to, stream->in + stream->in_at, *got);
    stream->in_at += *got;
    stream->ended = input_is_over(stream);
    return 0;
}

/* Up to n further bytes of contents: less only at the end. */
static int pull(struct stream *stream, uint8_t *to, size_t n, size_t *got, struct err *err)
{
    for (*got = 0; *got < n && !stream->ended;) {
        size_t step = 0;
        int rc;

        if (stream->in_at == stream->in_n && stream->stored < stream->spec.length &&
            refill(stream, err) != 0)
            return -1;
        if (stream->spec.kind == STREAM_ZSTD)
            rc = step_zstd(stream, to + *got, n - *got, &step, err);
        else if (stream->spec.kind == STREAM_PLAIN)
            rc = step_plain(stream, to + *got, n - *got, &step);
        else
            rc = step_zlib(stream, to + *got, n - *got, &step, err);
        if (rc != 0)
            return -1;
        *got += step;
    }
    return 0;
}

static int check_stored_sum(struct stream *stream, struct err *err)
{
    uint8_t sum[4];

    if (stream->spec.read(stream->spec.arg, stream->spec.length, sum, sizeof sum, err) != 0)
        return -1;
    if (get_le32(sum) != stream->crc32c_in)
        return err_set(err, ERR_CORRUPT, "its crc32c checksum does not agree; " DAMAGED);
    return 0;
}

/* All contents are out: what comes after them, and the checksums. */
static int finish(struct stream *stream, struct err *err)
{
    uint8_t rest[5];
    size_t got, due = stream->spec.crc32c_of_contents ? 4 : 0;

    if (pull(stream, rest, due + 1, &got, err) != 0)
        return -1;
    if (got != due || !stream->ended)
        return corrupt(got < due ? "is too short" : "is longer than it may be", err);
    if (due > 0 && get_le32(rest) != stream->crc32c_out)
        return err_set(err, ERR_CORRUPT, "its crc32c checksum does not agree; " DAMAGED);
    if (stream->spec.has_crc32 && stream->crc32_out != stream->spec.crc32)
        return err_set(err, ERR_CORRUPT, "its CRC-32 does not agree; " DAMAGED);
    return stream->spec.crc32c_of_stored ? check_stored_sum(stream, err) : 0;
}

static int advance(struct stream *stream, uint8_t *to, size_t n, struct err *err)
{
    size_t got;

    if (pull(stream, to, n, &got, err) != 0)
        return -1;
    if (got < n)
        return corrupt("is too short", err);
    if (stream->spec.crc32c_of_contents)
        stream->crc32c_out = crc32c_more(stream->crc32c_out, to, n);
    if (stream->spec.has_crc32)
        stream->crc32_out = crc32_z(stream->crc32_out, to, n);
    stream->pos += n;
    return stream->pos == stream->spec.nbytes ? finish(stream, err) : 0;
}

static int skip_to(struct stream *stream, uint64_t offset, struct err *err)
{
    while (stream->pos < offset)
        if (advance(stream, stream->skip, (size_t)size_min(SKIP_NBYTES, offset - stream->pos),
                    err) != 0)
            return -1;
    return 0;
}

int stream_read(struct stream *stream, uint64_t offset, void *to, size_t n, struct err *err)
{
    if (!size_range_ok(offset, n, stream->spec.nbytes))
        return err_set(err, ERR_USAGE, "bytes past the end of a stream");
    if (n == 0)
        return 0;
    if (stream->broken || stream->pos == 0 || stream->pos > offset)
        restart(stream);
    stream->broken = true;
    if (skip_to(stream, offset, err) != 0 || advance(stream, to, n, err) != 0)
        return -1;
    stream->broken = false;
    return 0;
}
