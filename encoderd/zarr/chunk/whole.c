/*
 * whole: chunks that have no blocks of their own, or none of a useful size, decoded whole, once for all,
 * or as a stream.
 */
#include "common/size.h"
#include "encoderd/zarr/chunk/decoder_impl.h"
#include "encoderd/zarr/chunk/unfold.h"
#include "encoderd/zarr/codec/filters.h"

#include <stdlib.h>
#include <string.h>

/* What decoder_scratch may add to an area. */
#define AREA_SLACK ((uint64_t)128)

static void transpose(const struct zarr_meta *meta, const uint8_t *from, uint8_t *to)
{
    size_t size = meta->dtype.size;
    struct fortran_walk walk;

    fortran_begin(&walk, meta);
    for (uint64_t k = 0; k < meta->chunk_elements; k++, fortran_next(&walk))
        memcpy(to + walk.at * size, from + k * size, size);
}

/* Areas beside the one for the result: the stored bytes, what the codecs make of them and what the
 * filters do, each where it is not the result already. */
struct areas {
    uint8_t *stored, *filtered, *turned, *spare[2];
};

static size_t ncompressors(const struct zarr_meta *meta)
{
    size_t n = 0;

    for (size_t i = 0; i < meta->ncodecs; i++)
        n += meta->codecs[i] != CODEC_CRC32C;
    return n;
}

uint64_t whole_scratch_nbytes(const struct zarr_meta *meta, uint64_t length)
{
    uint64_t nbytes = meta->chunk_elements * meta->dtype.size, sum = length + 5 * AREA_SLACK;
    bool ok = true;

    if (meta->nfilters > 0)
        ok = ok && size_add(sum, meta->filtered_nbytes, &sum);
    if (meta->fortran)
        ok = ok && size_add(sum, nbytes, &sum);
    if (meta->nfilters > 1)
        ok = ok && size_add(sum, 2 * filters_spare_nbytes(meta), &sum);
    /* Between two compressors the codecs use memory of their own. */
    if (ncompressors(meta) > 1)
        ok = ok && size_add(sum, 2 * (nbytes + nbytes / 8), &sum);
    return ok ? sum : UINT64_MAX;
}

static int take_areas(struct decoder *decoder, const struct zarr_meta *meta, uint64_t length,
                      struct areas *areas, struct err *err)
{
    uint64_t nbytes = meta->chunk_elements * meta->dtype.size;

    *areas = (struct areas){.stored = decoder_scratch(decoder, length, err)};
    if (areas->stored == NULL)
        return -1;
    if (meta->nfilters > 0) {
        areas->filtered = decoder_scratch(decoder, meta->filtered_nbytes, err);
        if (areas->filtered == NULL)
            return -1;
    }
    if (meta->fortran) {
        areas->turned = decoder_scratch(decoder, nbytes, err);
        if (areas->turned == NULL)
            return -1;
    }
    for (size_t i = 0; meta->nfilters > 1 && i < 2; i++) {
        areas->spare[i] = decoder_scratch(decoder, filters_spare_nbytes(meta), err);
        if (areas->spare[i] == NULL)
            return -1;
    }
    return 0;
}

/* The chunk's elements in C order and native bytes into `to`, which lies outside the scratch that is
 * still free. */
static int decode_at_once(struct decoder *decoder, struct chunk *chunk, uint8_t *to,
                          struct err *err)
{
    const struct zarr_meta *meta = &chunk->array->meta;
    uint8_t *elements, *bytes;
    struct areas areas;

    if (take_areas(decoder, meta, chunk->length, &areas, err) < 0)
        return -1;
    elements = meta->fortran ? areas.turned : to;
    bytes = meta->nfilters > 0 ? areas.filtered : elements;
    if (chunk_read(decoder, chunk, 0, areas.stored, (size_t)chunk->length, err) < 0 ||
        codecs_decode(&decoder->codecs, meta, areas.stored, (size_t)chunk->length, bytes,
                      (size_t)meta->filtered_nbytes, err) < 0)
        return -1;
    if (meta->nfilters > 0 && filters_undo(meta, bytes, elements, areas.spare, err) < 0)
        return -1;
    if (meta->fortran)
        transpose(meta, elements, to);
    bytes_to_native(&meta->dtype, to, (size_t)chunk->nbytes);
    return 0;
}

bool whole_fits(const struct decoder *decoder, const struct chunk *chunk, uint64_t used)
{
    return size_range_ok(used, whole_scratch_nbytes(&chunk->array->meta, chunk->length),
                         decoder->scratch_max);
}

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

/* crc32c, one compressor, crc32c: each may be left out. */
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

/* The least recently used one but `not`; NULL if there is no other. */
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

/* The scratch holds no more than a piece while chunks are streamed; so they may have half of its size. */
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

/* A reader that takes the chunk in parts of its own comes back for the rest of the block in which a part ended;
 * a stream cannot go back, and would start again for every part. No stream has to go for it, though. */
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

    if (find_stream(decoder, chunk, &streaming, err) < 0)
        return -1;
    streaming->used = ++decoder->tick;
    if (streaming->last_nbytes == n && streaming->last_begin == begin && n > 0) {
        memcpy(to, streaming->last, n);
        return 0;
    }
    if (stream_read(streaming->stream, begin, to, n, err) < 0)
        return -1;
    bytes_to_native(&chunk->array->meta.dtype, to, n);
    bound_streams(decoder, streaming);
    keep_last(decoder, streaming, begin, to, n);
    return 0;
}

static int decode_as_stream(struct decoder *decoder, struct chunk *chunk, uint8_t *to,
                            struct err *err)
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

int whole_block(struct decoder *decoder, struct chunk *chunk, struct block *out, struct err *err)
{
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);

    if (to == NULL || decode_at_once(decoder, chunk, to, err) < 0)
        return -1;
    out->data = to;
    return 0;
}

struct shared {
    struct decoder *decoder;
    struct chunk *chunk;
    uint32_t block; /* LAYOUT_LARGE */
};

static int fill_chunk(void *arg, uint8_t *to, size_t n, struct err *err)
{
    const struct shared *shared = arg;
    struct decoder *decoder = shared->decoder;
    struct chunk *chunk = shared->chunk;
    size_t used = decoder->scratch_used;
    int rc;

    (void)n;
    if (whole_fits(decoder, chunk, used))
        rc = decode_at_once(decoder, chunk, to, err);
    else
        rc = decode_as_stream(decoder, chunk, to, err);
    decoder->scratch_used = used;
    return rc;
}

static int fill_large(void *arg, uint8_t *to, size_t n, struct err *err)
{
    const struct shared *shared = arg;
    struct decoder *decoder = shared->decoder;
    size_t used = decoder->scratch_used;
    int rc;

    (void)n;
    rc = blosc_block_into(decoder, shared->chunk, shared->block, to, err);
    decoder->scratch_used = used;
    return rc;
}

static void add_key(struct chunk_key *key, const void *data, size_t n)
{
    memcpy(key->bytes + key->n, data, n);
    key->n += n;
}

void chunk_key(const struct chunk *chunk, uint32_t block, struct chunk_key *key)
{
    key->n = 0;
    add_key(key, &chunk->array->store, sizeof(void *));
    add_key(key, &block, sizeof block);
    add_key(key, chunk->identity, sizeof chunk->identity);
    add_key(key, chunk->label, strlen(chunk->label));
}

/* Copies bytes [at, at + n) of the entry of `size` bytes, so that nobody has to wait for this decoder to
 * let go of it. */
static int copy_shared(struct shared *shared, cache_fill *fill, uint64_t size, uint64_t at,
                       uint8_t *to, size_t n, struct err *err)
{
    struct cache *cache = shared->decoder->cache;
    struct cache_entry *entry;
    struct chunk_key key;

    chunk_key(shared->chunk, shared->block, &key);
    if (cache_get(cache, key.bytes, key.n, (size_t)size, fill, shared, &entry, err) < 0)
        return -1;
    memcpy(to, cache_data(entry) + at, n);
    cache_put(cache, entry);
    return 0;
}

int shared_block(struct decoder *decoder, struct chunk *chunk, struct block *out, struct err *err)
{
    struct shared shared = {.decoder = decoder, .chunk = chunk};
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);

    out->data = to;
    if (to == NULL)
        return -1;
    return copy_shared(&shared, fill_chunk, chunk->nbytes, out->begin, to, out->nbytes, err);
}

int large_block(struct decoder *decoder, struct chunk *chunk, struct block *out, struct err *err)
{
    const struct blosc1_frame *frame = &chunk->stored->frame;
    uint64_t end = out->begin + out->nbytes, at = out->begin;
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);

    out->data = to;
    while (to != NULL && at < end) {
        struct shared shared = {decoder, chunk, (uint32_t)(at / frame->block_size)};
        uint64_t first = (uint64_t)shared.block * frame->block_size;
        uint64_t size = blosc1_block_nbytes(frame, shared.block);
        size_t n = (size_t)(size_min(first + size, end) - at);

        if (copy_shared(&shared, fill_large, size, at - first, to, n, err) < 0)
            return -1;
        to += n;
        at += n;
    }
    return to == NULL ? -1 : 0;
}

int stream_block(struct decoder *decoder, struct chunk *chunk, struct block *out, struct err *err)
{
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);

    if (to == NULL || read_stream(decoder, chunk, out->begin, to, out->nbytes, err) < 0)
        return -1;
    out->data = to;
    return 0;
}

static int fill_spill(void *arg, struct spill_entry *entry, struct err *err)
{
    const struct shared *shared = arg;
    struct decoder *decoder = shared->decoder;
    size_t used = decoder->scratch_used;
    int rc = unfold_chunk(decoder, shared->chunk, entry, err);

    decoder->scratch_used = used;
    return rc;
}

int chunk_spilled(struct decoder *decoder, struct chunk *chunk, struct spill_entry **out,
                  struct err *err)
{
    struct shared shared = {.decoder = decoder, .chunk = chunk};
    struct chunk_key key;

    chunk_key(chunk, 0, &key);
    return spill_get(store_spill(chunk->array->store), chunk->array->store, key.bytes, key.n,
                     fill_spill, &shared, out, err);
}

int spill_block(struct decoder *decoder, struct chunk *chunk, struct block *out, struct err *err)
{
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);
    struct spill_entry *entry;
    int rc;

    out->data = to;
    if (to == NULL || chunk_spilled(decoder, chunk, &entry, err) < 0)
        return -1;
    rc = spill_read(entry, (unsigned)spill_facts(entry)[UNFOLD_AREA], out->begin, to, out->nbytes,
                    err);
    spill_put(entry);
    bytes_to_native(&chunk->array->meta.dtype, to, out->nbytes);
    return rc;
}
