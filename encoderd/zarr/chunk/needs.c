/*
 * needs: which stored bytes blocks take.
 */
#include "common/size.h"
#include "encoderd/zarr/chunk/decoder_impl.h"
#include "encoderd/zarr/codec/blosc1_decode.h"

#include <stdlib.h>
#include <string.h>

/* Blocks whose bytes lie near one another are one range, up to so many bytes; so long may a gap be, and gaps together
 * are no more than this part of it. */
#define RUN_NBYTES_MAX ((uint64_t)2 << 20)
#define GAP_MAX        ((uint64_t)16 << 10)
#define GAPS_PART      4
/* What decoder_scratch may add to an area. */
#define SCRATCH_SLACK ((uint64_t)128)
/* Blocks that are put in the order of their bytes at a time. */
#define BATCH 128

/* Bytes [begin, end) of the object, in part of use to nobody. */
struct run {
    uint64_t begin, end, gaps;
};

/* Bytes [begin, end) of the chunk's object. `shared`: others want just the same. */
static enum need need_bytes(const struct chunk *chunk, uint64_t begin, uint64_t end, bool shared,
                            struct chunk_need *need, struct err *err)
{
    const struct piece_range range = {.offset = begin, .length = end - begin, .shared = shared};
    struct piece_bytes bytes;

    if (begin == end)
        return NEED_THERE;
    return chunk_need_range(need, chunk->stored, &range, &bytes, err);
}

static enum need need_whole(struct chunk *chunk, struct chunk_need *need, struct err *err)
{
    return need_bytes(chunk, chunk->base, chunk->base + chunk->length, true, need, err);
}

/* ---- Blosc ---- */

static int compare_runs(const void *a, const void *b)
{
    const struct run *x = a, *y = b;

    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Can `next`, which comes after it, be read with it? */
static bool goes_on(const struct run *run, const struct run *next)
{
    const uint64_t gap = next->begin > run->end ? next->begin - run->end : 0;
    const uint64_t nbytes = run->end - run->begin;

    return gap <= GAP_MAX && (run->gaps + gap) * GAPS_PART <= nbytes &&
           next->end - run->begin <= RUN_NBYTES_MAX;
}

static enum need need_runs(struct chunk *chunk, struct run *runs, size_t n, struct chunk_need *need,
                           struct err *err)
{
    enum need rc = NEED_THERE;

    qsort(runs, n, sizeof *runs, compare_runs);
    for (size_t i = 0, k; i < n && rc != NEED_FAILED && rc < NEED_FULL; i = k) {
        struct run run = runs[i];

        for (k = i + 1; k < n && goes_on(&run, &runs[k]); k++) {
            run.gaps += runs[k].begin > run.end ? runs[k].begin - run.end : 0;
            run.end = size_max(run.end, runs[k].end);
        }
        rc = need_worse(rc, need_bytes(chunk, run.begin, run.end, false, need, err));
    }
    return rc;
}

/* Blosc's blocks [first, last]. Those that are, or will be, there already are held one by one. */
static enum need need_stored(struct chunk *chunk, uint64_t first, uint64_t last,
                             bool (*wanted)(const struct decoder *, const struct chunk *, uint32_t),
                             const struct decoder *decoder, struct chunk_need *need,
                             struct err *err)
{
    enum need rc = NEED_THERE;
    struct run runs[BATCH];
    size_t n = 0;

    for (uint64_t i = first; i <= last && rc != NEED_FAILED && rc < NEED_FULL; i++) {
        const uint64_t begin = chunk->base + chunk->stored->begins[i];
        const uint64_t end = begin + chunk_stored_nbytes(chunk, (uint32_t)i);

        if (wanted != NULL && !wanted(decoder, chunk, (uint32_t)i))
            continue;
        if (chunk_need_has(need, chunk->stored, begin, end - begin))
            rc = need_worse(rc, need_bytes(chunk, begin, end, false, need, err));
        else
            runs[n++] = (struct run){begin, end, 0};
        if (n == BATCH) {
            rc = need_worse(rc, need_runs(chunk, runs, n, need, err));
            n = 0;
        }
    }
    return rc == NEED_FAILED || rc >= NEED_FULL
               ? rc
               : need_worse(rc, need_runs(chunk, runs, n, need, err));
}

static bool is_not_kept(const struct decoder *decoder, const struct chunk *chunk, uint32_t i)
{
    return !chunk_block_is_kept(decoder, chunk, i);
}

static bool is_not_cached(const struct decoder *decoder, const struct chunk *chunk, uint32_t i)
{
    struct chunk_key key;

    chunk_key(chunk, i, &key);
    return !cache_has(decoder->cache, key.bytes, key.n);
}

/* Blosc blocks that the chunk's own blocks [first, last] reach into, where these are cut in another way. */
static void blosc_blocks(const struct chunk *chunk, uint64_t *first, uint64_t *last)
{
    const uint64_t end = size_min((*last + 1) * chunk->block_size, chunk->nbytes);

    *first = *first * chunk->block_size / chunk->stored->frame.block_size;
    *last = (end - 1) / chunk->stored->frame.block_size;
}

/* ---- Layouts ---- */

static enum need need_raw(const struct chunk *chunk, uint64_t first, uint64_t last,
                          struct chunk_need *need, struct err *err)
{
    const uint64_t end = size_min((last + 1) * chunk->block_size, chunk->nbytes);

    return need_bytes(chunk, chunk->base + first * chunk->block_size, chunk->base + end, false,
                      need, err);
}

static enum need need_shared(struct decoder *decoder, struct chunk *chunk, struct chunk_need *need,
                             struct err *err)
{
    if (!is_not_cached(decoder, chunk, 0))
        return NEED_THERE;
    if (!whole_fits(decoder, chunk, size_min(chunk->block_size, chunk->nbytes) + SCRATCH_SLACK))
        return NEED_SLOW;
    return need_whole(chunk, need, err);
}

static enum need need_of_layout(struct decoder *decoder, struct chunk *chunk, uint64_t first,
                                uint64_t last, unsigned forms, struct chunk_need *need,
                                struct err *err)
{
    switch (chunk->layout) {
    case LAYOUT_ABSENT:
        return NEED_THERE;
    case LAYOUT_RAW:
        return need_raw(chunk, first, last, need, err);
    case LAYOUT_BLOSC:
        return need_stored(chunk, first, last,
                           (forms & BLOCK_MAY_BE_PLANES) != 0 && decoder->kept != NULL ? is_not_kept
                                                                                       : NULL,
                           decoder, need, err);
    case LAYOUT_RECUT:
        blosc_blocks(chunk, &first, &last);
        return need_stored(chunk, first, last, NULL, decoder, need, err);
    case LAYOUT_LARGE:
        blosc_blocks(chunk, &first, &last);
        return need_stored(chunk, first, last, is_not_cached, decoder, need, err);
    case LAYOUT_WHOLE:
        return need_whole(chunk, need, err);
    case LAYOUT_SHARED:
        return need_shared(decoder, chunk, need, err);
    case LAYOUT_STREAM:
    case LAYOUT_SPILL:
        break;
    }
    return NEED_SLOW;
}

static void ask(struct blocks_need *blocks, struct err *err)
{
    enum need rc;

    if (!blocks->any || blocks->answer == NEED_FAILED || blocks->answer >= NEED_FULL)
        return;
    blocks->any = false;
    blocks->nblocks += blocks->last - blocks->first + 1;
    rc = need_of_layout(blocks->decoder, blocks->chunk, blocks->first, blocks->last, blocks->forms,
                        blocks->need, err);
    if (rc == NEED_FAILED)
        decoder_name_chunk(blocks->chunk->array, blocks->chunk->label, err);
    blocks->answer = need_worse(blocks->answer, rc);
}

void blocks_need_add(struct blocks_need *blocks, uint64_t first, uint64_t last, struct err *err)
{
    if (blocks->any && first >= blocks->first && first <= blocks->last + 1) {
        blocks->last = size_max(blocks->last, last);
        return;
    }
    ask(blocks, err);
    blocks->any = true;
    blocks->first = first;
    blocks->last = last;
}

enum need blocks_need_end(struct blocks_need *blocks, struct err *err)
{
    ask(blocks, err);
    return blocks->answer;
}

/* ---- Elements ---- */

static enum need need_strings(struct decoder *decoder, const struct zarr_array *array,
                              struct chunk *chunk, struct chunk_need *need, struct err *err)
{
    enum need rc = NEED_FAILED;

    if (decoder_begin(decoder, array, chunk->label, err) == 0)
        rc = stored_make(chunk->stored, array, chunk->index, STORED_LOCATED, need, err);
    if (rc != NEED_THERE || chunk->stored->object == NULL)
        return rc;
    chunk->base = chunk->stored->base;
    chunk->length = chunk->stored->length;
    return need_whole(chunk, need, err);
}

static enum need need_vlen(struct decoder *decoder, const struct zarr_array *array,
                           const uint64_t *index, struct chunk_need *need, struct err *err)
{
    struct chunk chunk = {.array = array};
    enum need rc;

    memcpy(chunk.index, index, array->meta.ndim * sizeof *index);
    chunk_label(array, index, chunk.label);
    chunk.stored = stored_get(decoder->table, array, index, err);
    rc = chunk.stored == NULL ? NEED_FAILED : need_strings(decoder, array, &chunk, need, err);
    stored_put(chunk.stored);
    if (rc == NEED_FAILED)
        decoder_name_chunk(array, chunk.label, err);
    return rc;
}

enum need zarr_need_elements(struct decoder *decoder, const struct zarr_array *array,
                             const uint64_t *index, uint64_t first, uint64_t n,
                             struct chunk_need *need, struct err *err)
{
    const uint64_t size = array->meta.dtype.size;
    struct blocks_need blocks = {.decoder = decoder, .need = need};
    enum need rc;

    if (decoder_index_check(array, index, err) < 0)
        return NEED_FAILED;
    if (array->meta.dtype.kind == DTYPE_STRING)
        return need_vlen(decoder, array, index, need, err);
    rc = decoder_need_chunk(decoder, array, index, need, &blocks.chunk, err);
    if (rc != NEED_THERE)
        return rc;
    blocks_need_add(&blocks, first * size / blocks.chunk->block_size,
                    ((first + n) * size - 1) / blocks.chunk->block_size, err);
    return blocks_need_end(&blocks, err);
}
