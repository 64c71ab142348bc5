/*
 * decoder: scratch, and chunks opened and kept.
 */
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/bytes.h"
#include "encoderd/zarr/decoder_impl.h"

#include <string.h>
#include <sys/mman.h>

/* Under the address sanitizer what is not handed out may not be touched, neither by the decoders here
 * nor by a caller who holds on to a block. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define FORBID(at, n) __asan_poison_memory_region(at, n)
#define ALLOW(at, n)  __asan_unpoison_memory_region(at, n)
#else
#define FORBID(at, n) ((void)(at), (void)(n))
#define ALLOW(at, n)  ((void)(at), (void)(n))
#endif

#define SCRATCH_ALIGN ((uint64_t)64)
/* What chunk.h lets callers read past the end of planes. */
#define PLANES_SLACK ((uint64_t)8)
/* Block indexes of all cached chunks together. */
#define INDEX_NBYTES_MAX ((uint64_t)8 << 20)

struct decoder *decoder_new(size_t scratch_max, struct err *err)
{
    struct decoder *decoder = calloc(1, sizeof *decoder);
    uint64_t mapped;
    void *map;

    if (decoder == NULL || codecs_init(&decoder->codecs, err) < 0 ||
        !size_add(scratch_max, 2 * SCRATCH_ALIGN, &mapped)) {
        decoder_free(decoder);
        err_set(err, ERR_MEMORY, "out of memory for a decoder");
        return NULL;
    }
    /* The mapping is longer than what is handed out: reading past the end of a block stays inside. */
    map = mmap(NULL, (size_t)mapped, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) {
        decoder_free(decoder);
        err_set(err, ERR_MEMORY, "no memory for %zu bytes of scratch: lower --memory", scratch_max);
        return NULL;
    }
    decoder->scratch = map;
    decoder->scratch_max = scratch_max - scratch_max % SCRATCH_ALIGN;
    decoder->scratch_mapped = (size_t)mapped;
    return decoder;
}

static void chunk_free(struct chunk *chunk)
{
    object_close(chunk->object);
    free(chunk->begins);
    free(chunk->ends);
    free(chunk);
}

static void close_chunks(struct decoder *decoder)
{
    for (size_t i = 0; i < decoder->nchunks; i++)
        chunk_free(decoder->chunks[i]);
    decoder->nchunks = 0;
}

void decoder_free(struct decoder *decoder)
{
    if (decoder == NULL)
        return;
    close_chunks(decoder);
    codecs_free(&decoder->codecs);
    if (decoder->scratch != NULL) {
        ALLOW(decoder->scratch, decoder->scratch_mapped);
        munmap(decoder->scratch, decoder->scratch_mapped);
    }
    free(decoder);
}

void decoder_trim(struct decoder *decoder)
{
    close_chunks(decoder);
    madvise(decoder->scratch, decoder->scratch_mapped, MADV_DONTNEED);
}

void decoder_stats(const struct decoder *decoder, struct decoder_stats *out)
{
    *out = decoder->stats;
}

void decoder_scratch_reset(struct decoder *decoder)
{
    decoder->scratch_used = 0;
    FORBID(decoder->scratch, decoder->scratch_mapped);
}

uint8_t *decoder_scratch(struct decoder *decoder, uint64_t nbytes, struct err *err)
{
    size_t used = decoder->scratch_used;
    char need[16], have[16];

    if (!size_range_ok(used, nbytes, decoder->scratch_max)) {
        err_set(err, ERR_MEMORY,
                "decoding it takes %s at once, and there are %s to decode in: raise --memory, or "
                "rewrite the store with smaller chunks or with Blosc",
                size_format(used + nbytes, need, sizeof need),
                size_format(decoder->scratch_max, have, sizeof have));
        return NULL;
    }
    decoder->scratch_used =
        (size_t)size_min(size_div_up(used + nbytes + SCRATCH_ALIGN, SCRATCH_ALIGN) * SCRATCH_ALIGN,
                         decoder->scratch_max);
    ALLOW(decoder->scratch + used, nbytes + PLANES_SLACK);
    return decoder->scratch + used;
}

int chunk_read(struct decoder *decoder, const struct chunk *chunk, uint64_t offset, void *to,
               size_t n, struct err *err)
{
    if (object_read(chunk->object, chunk->base + offset, to, n, err) < 0)
        return -1;
    decoder->stats.bytes_read += n;
    return 0;
}

int decoder_name_chunk(const struct zarr_array *array, const char *key, struct err *err)
{
    const char *path = store_path(array->store);

    /* What the store itself says names the file already. */
    if (err == NULL || strncmp(err->msg, path, strlen(path)) == 0)
        return -1;
    return err_prefix(err, "%s (%s)", key, path);
}

int decoder_index_check(const struct zarr_array *array, const uint64_t *index, struct err *err)
{
    for (unsigned d = 0; d < array->meta.ndim; d++)
        if (index[d] >= array->meta.nchunks[d])
            return err_set(err, ERR_USAGE, "%s (%s): no chunk %llu on axis %u, which has %llu",
                           array->name, store_path(array->store), (unsigned long long)index[d], d,
                           (unsigned long long)array->meta.nchunks[d]);
    return 0;
}

/* A store that is being deleted, or whose file system went away, has no chunks either; to show fill
 * values then would be to invent data. */
static int check_not_gone(const struct zarr_array *array, struct err *err)
{
    struct object *meta;

    if (store_object(array->store, array->meta_key, &meta, err) < 0)
        return -1;
    if (meta == NULL)
        return err_set(err, ERR_CHANGED, "%s/%s is gone: the store was removed or changed",
                       store_path(array->store), array->meta_key);
    object_close(meta);
    return 0;
}

int decoder_open_object(const struct zarr_array *array, const char *key, struct object **out,
                        struct err *err)
{
    if (store_object(array->store, key, out, err) < 0)
        return -1;
    return *out == NULL ? check_not_gone(array, err) : 0;
}

static void cut_pieces(struct chunk *chunk)
{
    uint64_t unit = (uint64_t)chunk->array->meta.dtype.size * 8;

    chunk->block_size = size_max(PIECE_NBYTES / unit, 1) * unit;
    chunk->nblocks = size_div_up(chunk->nbytes, chunk->block_size);
}

static void one_block(struct chunk *chunk)
{
    chunk->layout = LAYOUT_WHOLE;
    chunk->block_size = chunk->nbytes;
    chunk->nblocks = 1;
}

static int lay_out_raw(struct chunk *chunk, struct err *err)
{
    chunk->layout = LAYOUT_RAW;
    cut_pieces(chunk);
    if (chunk->length != chunk->nbytes)
        return err_set(err, ERR_CORRUPT,
                       "it has %llu bytes where a chunk has %llu; the file is damaged; restore it "
                       "or rewrite the store",
                       (unsigned long long)chunk->length, (unsigned long long)chunk->nbytes);
    return 0;
}

static int load_index(struct decoder *decoder, struct chunk *chunk, struct err *err)
{
    size_t nbytes = (size_t)chunk->frame.nblocks * 4;
    AUTO_FREE uint8_t *table = malloc(nbytes);

    if (table == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for %u Blosc blocks", chunk->frame.nblocks);
    if (chunk_read(decoder, chunk, BLOSC1_HEADER_NBYTES, table, nbytes, err) < 0)
        return -1;
    return blosc1_index(&chunk->frame, table, &chunk->begins, &chunk->ends, err);
}

static int lay_out_blosc(struct decoder *decoder, struct chunk *chunk, struct err *err)
{
    uint8_t header[BLOSC1_HEADER_NBYTES];
    uint32_t element = chunk->array->meta.dtype.size;

    if (chunk->length < sizeof header)
        return err_set(err, ERR_CORRUPT,
                       "too short for a Blosc frame; the file is damaged; restore it or rewrite "
                       "the store");
    if (chunk_read(decoder, chunk, 0, header, sizeof header, err) < 0 ||
        blosc1_parse_header(header, chunk->length, chunk->nbytes, &chunk->frame, err) < 0)
        return -1;
    if (chunk->frame.stored) {
        chunk->base += sizeof header;
        chunk->length = chunk->nbytes;
        return lay_out_raw(chunk, err);
    }
    /* Elements may straddle blocks if the writer named another element size than the array's. */
    if (chunk->frame.block_size % element != 0 && chunk->frame.nblocks > 1) {
        one_block(chunk);
        return 0;
    }
    chunk->layout = LAYOUT_BLOSC;
    chunk->block_size = chunk->frame.block_size;
    chunk->nblocks = chunk->frame.nblocks;
    return load_index(decoder, chunk, err);
}

static int lay_out(struct decoder *decoder, struct chunk *chunk, struct err *err)
{
    const struct zarr_meta *meta = &chunk->array->meta;

    chunk->nbytes = meta->chunk_elements * meta->dtype.size;
    if (chunk->object == NULL) {
        chunk->layout = LAYOUT_ABSENT;
        cut_pieces(chunk);
        return 0;
    }
    chunk->length = object_size(chunk->object);
    if (meta->fortran || meta->ncodecs > 1 ||
        (meta->ncodecs == 1 && meta->codecs[0] != CODEC_BLOSC)) {
        one_block(chunk);
        return 0;
    }
    return meta->ncodecs == 0 ? lay_out_raw(chunk, err) : lay_out_blosc(decoder, chunk, err);
}

static int open_chunk(struct decoder *decoder, const struct zarr_array *array,
                      const uint64_t *index, struct chunk **out, struct err *err)
{
    struct chunk *chunk = calloc(1, sizeof *chunk);

    *out = NULL;
    if (chunk == NULL)
        return err_set(err, ERR_MEMORY, "%s: out of memory", array->name);
    chunk->array = array;
    memcpy(chunk->index, index, array->meta.ndim * sizeof *index);
    memcpy(chunk->identity, array->identity, sizeof chunk->identity);
    zarr_chunk_key(array, index, chunk->key);
    if (decoder_open_object(array, chunk->key, &chunk->object, err) < 0) {
        chunk_free(chunk);
        return -1;
    }
    if (lay_out(decoder, chunk, err) < 0) {
        decoder_name_chunk(array, chunk->key, err);
        chunk_free(chunk);
        return -1;
    }
    *out = chunk;
    return 0;
}

/* The array is known by its name and metadata, not by its address, which may be another's by now. */
static bool is_chunk(const struct chunk *chunk, const struct zarr_array *array,
                     const uint64_t *index)
{
    size_t n = strlen(array->name);

    return memcmp(chunk->index, index, array->meta.ndim * sizeof *index) == 0 &&
           memcmp(chunk->identity, array->identity, sizeof chunk->identity) == 0 &&
           strncmp(chunk->key, array->name, n) == 0 && chunk->key[n] == '/';
}

static uint64_t index_nbytes(const struct decoder *decoder)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < decoder->nchunks; i++)
        if (decoder->chunks[i]->begins != NULL)
            sum += (uint64_t)decoder->chunks[i]->frame.nblocks * 8;
    return sum;
}

static void evict_oldest(struct decoder *decoder)
{
    size_t oldest = 0;

    for (size_t i = 1; i < decoder->nchunks; i++)
        if (decoder->chunks[i]->used < decoder->chunks[oldest]->used)
            oldest = i;
    chunk_free(decoder->chunks[oldest]);
    decoder->chunks[oldest] = decoder->chunks[--decoder->nchunks];
}

static void keep_chunk(struct decoder *decoder, struct chunk *chunk)
{
    if (decoder->nchunks == CHUNKS_MAX)
        evict_oldest(decoder);
    decoder->chunks[decoder->nchunks++] = chunk;
    while (decoder->nchunks > 1 && index_nbytes(decoder) > INDEX_NBYTES_MAX)
        evict_oldest(decoder);
}

int decoder_chunk(struct decoder *decoder, const struct zarr_array *array, const uint64_t *index,
                  struct chunk **out, struct err *err)
{
    struct chunk *chunk = NULL;

    if (array->meta.dtype.kind == DTYPE_STRING)
        return err_set(err, ERR_USAGE, "%s: its strings have no blocks", array->name);
    if (decoder_index_check(array, index, err) < 0)
        return -1;
    for (size_t i = 0; i < decoder->nchunks; i++) {
        chunk = decoder->chunks[i];
        if (is_chunk(chunk, array, index)) {
            chunk->array = array;
            chunk->used = ++decoder->tick;
            *out = chunk;
            return 0;
        }
    }
    if (open_chunk(decoder, array, index, &chunk, err) < 0)
        return -1;
    chunk->used = ++decoder->tick;
    keep_chunk(decoder, chunk);
    *out = chunk;
    return 0;
}

uint64_t chunk_nbytes(const struct chunk *chunk)
{
    return chunk->nbytes;
}

uint64_t chunk_block_size(const struct chunk *chunk)
{
    return chunk->block_size;
}

uint64_t chunk_nblocks(const struct chunk *chunk)
{
    return chunk->nblocks;
}

bool chunk_is_absent(const struct chunk *chunk)
{
    return chunk->layout == LAYOUT_ABSENT;
}
