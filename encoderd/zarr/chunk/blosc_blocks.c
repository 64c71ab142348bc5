/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/chunk/blosc_blocks.h"

#include "common/size.h"
#include "encoderd/zarr/codec/blosc1_decode.h"

#include <stdlib.h>

/* Limits for reading blocks that lie close together as one range: the length of the range, the
 * length of one gap, and the part of the range that all gaps may take. */
#define RUN_NBYTES_MAX ((uint64_t)2 << 20)
#define GAP_MAX        ((uint64_t)16 << 10)
#define GAPS_PART      4
/* How many blocks at a time are sorted by the place of their bytes. */
#define BATCH 128

_Static_assert(BYTES_LEAD >= BLOSC1_ROOM, "no room for a frame's header");

/* Bytes [begin, end) of the object; `gaps` of them are not needed. */
struct byte_run {
    uint64_t begin, end, gaps;
};

size_t chunk_stored_nbytes(const struct chunk *chunk, uint32_t i)
{
    return (size_t)size_min(chunk->stored->ends[i] - chunk->stored->begins[i],
                            blosc1_block_cbytes_max(&chunk->stored->frame, i));
}

int blosc_block_into(struct decoder *decoder, struct chunk *chunk, uint32_t i, uint8_t *to,
                     struct err *err)
{
    const struct blosc1_frame *frame = &chunk->stored->frame;
    const size_t n = chunk_stored_nbytes(chunk, i);
    uint8_t *in = chunk_bytes(decoder, chunk, chunk->stored->begins[i], n, err);

    if (in == NULL || blosc1_decode_plain(frame, i, in, n, to, err) != 0)
        return -1;
    bytes_to_native(&chunk->array->meta.dtype, to, blosc1_block_nbytes(frame, i));
    return 0;
}

static int compare_runs(const void *a, const void *b)
{
    const struct byte_run *x = a, *y = b;

    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Can `next`, which follows `run`, be read together with it? */
static bool goes_on(const struct byte_run *run, const struct byte_run *next)
{
    const uint64_t gap = next->begin > run->end ? next->begin - run->end : 0;
    const uint64_t nbytes = run->end - run->begin;

    return gap <= GAP_MAX && (run->gaps + gap) * GAPS_PART <= nbytes &&
           next->end - run->begin <= RUN_NBYTES_MAX;
}

static enum need need_runs(struct chunk *chunk, struct byte_run *runs, size_t n,
                           struct chunk_need *need, struct err *err)
{
    enum need rc = NEED_THERE;

    if (n == 0)
        return rc;
    qsort(runs, n, sizeof *runs, compare_runs);
    for (size_t i = 0, k; i < n && rc != NEED_FAILED && rc < NEED_FULL; i = k) {
        struct byte_run run = runs[i];

        for (k = i + 1; k < n && goes_on(&run, &runs[k]); k++) {
            run.gaps += runs[k].begin > run.end ? runs[k].begin - run.end : 0;
            run.end = size_max(run.end, runs[k].end);
        }
        rc = need_worse(rc, chunk_need_bytes(chunk, run.begin, run.end, false, need, err));
    }
    return rc;
}

/* Asks for Blosc's blocks [first, last]. If any bytes are there already, or on the way, each block
 * is looked up by itself. */
enum need blosc_blocks_need(struct chunk *chunk, uint64_t first, uint64_t last,
                            bool (*wanted)(const struct decoder *, const struct chunk *, uint32_t),
                            const struct decoder *decoder, struct chunk_need *need, struct err *err)
{
    enum need rc = NEED_THERE;
    struct byte_run runs[BATCH];
    size_t n = 0;

    for (uint64_t i = first; i <= last && rc != NEED_FAILED && rc < NEED_FULL; i++) {
        const uint64_t begin = chunk->base + chunk->stored->begins[i];
        const uint64_t end = begin + chunk_stored_nbytes(chunk, (uint32_t)i);

        if (wanted != NULL && !wanted(decoder, chunk, (uint32_t)i))
            continue;
        if (chunk_need_has(need, chunk->stored, begin, end - begin))
            rc = need_worse(rc, chunk_need_bytes(chunk, begin, end, false, need, err));
        else
            runs[n++] = (struct byte_run){begin, end, 0};
        if (n == BATCH) {
            rc = need_worse(rc, need_runs(chunk, runs, n, need, err));
            n = 0;
        }
    }
    return rc == NEED_FAILED || rc >= NEED_FULL
               ? rc
               : need_worse(rc, need_runs(chunk, runs, n, need, err));
}

void blosc_blocks_of(const struct chunk *chunk, uint64_t *first, uint64_t *last)
{
    const uint64_t end = size_min((*last + 1) * chunk->block_size, chunk->nbytes);

    *first = *first * chunk->block_size / chunk->stored->frame.block_size;
    *last = (end - 1) / chunk->stored->frame.block_size;
}
