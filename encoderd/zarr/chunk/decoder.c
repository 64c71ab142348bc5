/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decoder: its scratch, and the stored bytes that it reads.
 */
#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/decoder_impl.h"
#include "encoderd/zarr/chunk/held.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* The address sanitizer reports any access to scratch that is not in use: by the decoders here, or
 * by a caller that keeps a block too long. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define FORBID(at, n) __asan_poison_memory_region(at, n)
#define ALLOW(at, n)  __asan_unpoison_memory_region(at, n)
#else
#define FORBID(at, n) ((void)(at), (void)(n))
#define ALLOW(at, n)  ((void)(at), (void)(n))
#endif

#define SCRATCH_ALIGN ((uint64_t)64)
/* How far callers may read past the end of planes (chunk.h). */
#define PLANES_SLACK ((uint64_t)8)

/* The most decoders that can exist: three for each of 64 threads, and those of views. */
#define DECODERS_MAX 256

static size_t chunks_max(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return CHUNKS_FEW;
    return (size_t)size_max(CHUNKS_FEW, size_min(CHUNKS_MAX, limit.rlim_cur / DECODERS_MAX));
}

struct decoder *decoder_new(size_t scratch_max, struct err *err)
{
    struct decoder *decoder = calloc(1, sizeof *decoder);
    uint64_t mapped;
    void *map;

    if (decoder != NULL)
        pool_init(&decoder->spare, sizeof(struct chunk), 0);
    if (decoder == NULL || codecs_init(&decoder->codecs, err) != 0 ||
        !size_add(scratch_max, 2 * SCRATCH_ALIGN, &mapped)) {
        decoder_free(decoder);
        err_nomem(err, "a decoder");
        return NULL;
    }
    /* The mapping is longer than the scratch, so that reading past the end of a block stays
     * inside. */
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
    decoder->own = decoder->table = chunk_table_new(err);
    if (decoder->own == NULL) {
        decoder_free(decoder);
        return NULL;
    }
    decoder->nchunks_max = chunks_max();
    decoder->slot = evidence_take_slot();
    return decoder;
}

void decoder_free_chunk(struct decoder *decoder, struct chunk *chunk)
{
    if (chunk->layout != NULL && chunk->layout->drop != NULL)
        chunk->layout->drop(decoder, chunk);
    stored_put(chunk->stored);
    pool_put(&decoder->spare, chunk);
}

static void close_chunks(struct decoder *decoder)
{
    for (size_t i = 0; i < decoder->nchunks; i++)
        decoder_free_chunk(decoder, decoder->chunks[i]);
    decoder->nchunks = 0;
}

void decoder_free(struct decoder *decoder)
{
    if (decoder == NULL)
        return;
    close_chunks(decoder);
    pool_clear(&decoder->spare, NULL);
    chunk_table_free(decoder->own);
    evidence_put_slot(decoder->slot);
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
    pool_clear(&decoder->spare, NULL);
    chunk_table_trim(decoder->own);
    madvise(decoder->scratch, decoder->scratch_mapped, MADV_DONTNEED);
}

void decoder_set_cache(struct decoder *decoder, struct cache *cache)
{
    close_chunks(decoder);
    decoder->cache = cache;
}

void decoder_share(struct decoder *decoder, struct chunk_table *table)
{
    close_chunks(decoder);
    decoder->table = table;
}

void decoder_use(struct decoder *decoder, const struct chunk_need *need)
{
    decoder->need = need;
}

void decoder_set_kept(struct decoder *decoder, struct block_cache *kept)
{
    decoder->kept = kept;
}

void decoder_keep(struct decoder *decoder, bool keep)
{
    decoder->keeps = keep;
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
        err_set(err, ERR_BUDGET,
                "decoding it takes %s at once, and there are %s to decode in: raise --memory, or "
                "rewrite the store with smaller chunks or with Blosc%s",
                size_format(used + nbytes, need, sizeof need),
                size_format(decoder->scratch_max, have, sizeof have),
                decoder->spills
                    ? ""
                    : ", or set TMPDIR to a directory where there can be a temporary file");
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
    struct piece_bytes bytes;

    decoder->stats.bytes_read += n;
    if (decoder->need != NULL) {
        if (chunk_need_find(decoder->need, chunk->stored, chunk->base + offset, n, &bytes)) {
            memcpy(to, bytes.at, n);
            return 0;
        }
        decoder->stats.unforeseen++;
    }
    return object_read(chunk->stored->object, chunk->base + offset, to, n, err);
}

uint8_t *chunk_bytes(struct decoder *decoder, const struct chunk *chunk, uint64_t offset, size_t n,
                     struct err *err)
{
    struct piece_bytes bytes;
    uint8_t *to;

    if (decoder->need != NULL &&
        chunk_need_find(decoder->need, chunk->stored, chunk->base + offset, n, &bytes) &&
        bytes.before >= BYTES_LEAD) {
        decoder->stats.bytes_read += n;
        return bytes.at;
    }
    to = decoder_scratch(decoder, BYTES_LEAD + (uint64_t)n, err);
    if (to == NULL || chunk_read(decoder, chunk, offset, to + BYTES_LEAD, n, err) != 0)
        return NULL;
    return to + BYTES_LEAD;
}

int decoder_name_chunk(const struct zarr_array *array, const char *label, struct err *err)
{
    return err_name(err, "%s (%s)", label, store_path(array->store));
}

int decoder_index_check(const struct zarr_array *array, const uint64_t *index, struct err *err)
{
    for (unsigned d = 0; d < array->meta.ndim; d++)
        if (index[d] >= array->meta.nchunks[d])
            return zarr_array_fail(
                array, err, ERR_USAGE, "no chunk %llu on axis %u, which has %llu",
                (unsigned long long)index[d], d, (unsigned long long)array->meta.nchunks[d]);
    return 0;
}

int decoder_begin(struct decoder *decoder, const struct zarr_array *array, const char *label,
                  struct err *err)
{
    if (held_check(store_held(array->store), label, err) != 0)
        return -1;
    evidence_note(decoder->slot, label, 0);
    return 0;
}

void decoder_rest(struct decoder *decoder)
{
    evidence_done(decoder->slot);
}

enum need chunk_need_bytes(const struct chunk *chunk, uint64_t begin, uint64_t end, bool shared,
                           struct chunk_need *need, struct err *err)
{
    const struct piece_range range = {.offset = begin, .length = end - begin, .shared = shared};
    struct piece_bytes bytes;

    if (begin == end)
        return NEED_THERE;
    return chunk_need_range(need, chunk->stored, &range, &bytes, err);
}

enum need chunk_need_whole(struct chunk *chunk, struct chunk_need *need, struct err *err)
{
    return chunk_need_bytes(chunk, chunk->base, chunk->base + chunk->length, true, need, err);
}

void decoder_count(struct decoder *decoder, const struct block *block)
{
    decoder->stats.blocks++;
    decoder->stats.bytes_decoded += block->nbytes;
}

size_t chunk_block_nbytes(const struct chunk *chunk, uint64_t i)
{
    return (size_t)size_min(chunk->block_size, chunk->nbytes - i * chunk->block_size);
}
