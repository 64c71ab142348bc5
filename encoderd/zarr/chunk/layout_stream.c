/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_stream: blocks are pieces of a chunk that is too long to be held, and is decoded from
 * front to back.
 */
#include "encoderd/zarr/chunk/whole.h"

#include <stdlib.h>
#include <string.h>

static bool stream_kind(enum codec_id id, enum stream_kind *kind)
{
    if (id == CODEC_ZSTD)
        *kind = STREAM_ZSTD;
    else if (id == CODEC_GZIP)
        *kind = STREAM_GZIP;
    else if (id == CODEC_ZLIB)
        *kind = STREAM_ZLIB;
    else
        return false;
    return true;
}

/* True for the codecs crc32c, one compressor, crc32c, each of which may be missing. */
static bool describe_stream(const struct zarr_meta *meta, struct stream_spec *spec)
{
    size_t i = 0, n = meta->ncodecs;

    spec->kind = STREAM_PLAIN;
    if (meta->fortran || meta->nfilters > 0)
        return false;
    if (n > 1 && meta->codecs[0] == CODEC_CRC32C) {
        spec->crc32c_of_contents = true;
        i++;
    }
    if (i < n && stream_kind(meta->codecs[i], &spec->kind))
        i++;
    if (i < n && meta->codecs[i] == CODEC_CRC32C) {
        spec->crc32c_of_stored = true;
        i++;
    }
    return i == n;
}

bool whole_is_streamable(const struct zarr_meta *meta)
{
    return describe_stream(meta, &(struct stream_spec){0});
}

static int read_stored(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    const struct streaming *streaming = arg;

    return chunk_read(streaming->decoder, streaming->chunk, offset, to, n, err);
}

static void drop(struct streaming *streaming)
{
    stream_free(streaming->stream);
    free(streaming->last);
    *streaming = (struct streaming){0};
}

void decoder_drop_stream(struct decoder *decoder, const struct chunk *chunk)
{
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (decoder->streams[i].chunk == chunk)
            drop(&decoder->streams[i]);
}

/* The least recently used stream other than `not`; NULL if there is none. */
static struct streaming *oldest_stream(struct decoder *decoder, const struct streaming * not )
{
    struct streaming *oldest = NULL;

    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct streaming *here = &decoder->streams[i];

        if (here != not &&here->stream != NULL && (oldest == NULL || here->used < oldest->used))
            oldest = here;
    }
    return oldest;
}

static struct streaming *free_stream(struct decoder *decoder)
{
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (decoder->streams[i].stream == NULL)
            return &decoder->streams[i];
    drop(oldest_stream(decoder, NULL));
    return free_stream(decoder);
}

/* Streams may take half of the scratch's size, because the scratch itself holds only one piece
 * while chunks are streamed. */
static size_t streams_memory_max(const struct decoder *decoder)
{
    return decoder->scratch_max / 2;
}

static size_t streams_memory(const struct decoder *decoder)
{
    size_t sum = 0;

    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (decoder->streams[i].stream != NULL)
            sum += stream_memory(decoder->streams[i].stream) + decoder->streams[i].last_nbytes;
    return sum;
}

static void forget_last(struct streaming *streaming)
{
    free(streaming->last);
    streaming->last = NULL;
    streaming->last_nbytes = 0;
}

static void bound_streams(struct decoder *decoder, const struct streaming *keep)
{
    struct streaming *oldest;

    if (streams_memory(decoder) <= streams_memory_max(decoder))
        return;
    for (size_t i = 0; i < STREAMS_MAX; i++)
        forget_last(&decoder->streams[i]);
    while (streams_memory(decoder) > streams_memory_max(decoder)) {
        oldest = oldest_stream(decoder, keep);
        if (oldest == NULL)
            return;
        drop(oldest);
    }
}

static int find_stream(struct decoder *decoder, struct chunk *chunk, struct streaming **out,
                       struct err *err)
{
    struct stream_spec spec = {
        .read = read_stored,
        .length = chunk->length,
        .nbytes = chunk->nbytes,
        .window_max = streams_memory_max(decoder),
    };

    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (decoder->streams[i].chunk == chunk) {
            *out = &decoder->streams[i];
            return 0;
        }
    describe_stream(&chunk->array->meta, &spec);
    spec.arg = *out = free_stream(decoder);
    **out = (struct streaming){.decoder = decoder, .chunk = chunk};
    if (stream_new(&spec, &(*out)->stream, err) == 0)
        return 0;
    drop(*out);
    return -1;
}

/* Keeps a copy of the last block. A reader that takes the chunk in parts comes back for the rest of
 * the block in which a part ended, and a stream cannot go back: it would start again for every
 * part. No other stream is given up for this copy. */
static void keep_last(struct decoder *decoder, struct streaming *streaming, uint64_t begin,
                      const uint8_t *block, size_t n)
{
    if (n != streaming->last_nbytes)
        forget_last(streaming);
    if (streaming->last == NULL && streams_memory(decoder) + n <= streams_memory_max(decoder))
        streaming->last = malloc(n);
    if (streaming->last == NULL)
        return;
    memcpy(streaming->last, block, n);
    streaming->last_begin = begin;
    streaming->last_nbytes = n;
}

static int read_stream(struct decoder *decoder, struct chunk *chunk, uint64_t begin, uint8_t *to,
                       size_t n, struct err *err)
{
    struct streaming *streaming;

    if (find_stream(decoder, chunk, &streaming, err) != 0)
        return -1;
    streaming->used = ++decoder->tick;
    if (streaming->last_nbytes == n && streaming->last_begin == begin && n > 0) {
        memcpy(to, streaming->last, n);
        return 0;
    }
    if (stream_read(streaming->stream, begin, to, n, err) != 0)
        return -1;
    bytes_to_native(&chunk->array->meta.dtype, to, n);
    bound_streams(decoder, streaming);
    keep_last(decoder, streaming, begin, to, n);
    return 0;
}

int whole_stream(struct decoder *decoder, struct chunk *chunk, uint8_t *to, struct err *err)
{
    struct streaming *streaming;
    int rc = find_stream(decoder, chunk, &streaming, err);

    if (rc == 0)
        rc = stream_read(streaming->stream, 0, to, (size_t)chunk->nbytes, err);
    if (rc == 0)
        bytes_to_native(&chunk->array->meta.dtype, to, (size_t)chunk->nbytes);
    decoder_drop_stream(decoder, chunk);
    return rc;
}

static int stream_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                        struct block *out, struct err *err)
{
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);

    (void)i;
    (void)forms;
    if (to == NULL || read_stream(decoder, chunk, out->begin, to, out->nbytes, err) != 0)
        return -1;
    out->data = to;
    return 0;
}

const struct layout_ops layout_stream = {
    .block = stream_block, .drop = decoder_drop_stream, .otherwise = &layout_spill};
