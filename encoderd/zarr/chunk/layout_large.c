/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_large: blocks are pieces of Blosc's blocks, which are so long that each is decoded once,
 * into the cache.
 */
#include "common/size.h"
#include "encoderd/zarr/chunk/blosc_blocks.h"
#include "encoderd/zarr/chunk/cached.h"

static int fill_large(void *arg, uint8_t *to, size_t n, struct err *err)
{
    const struct cached *shared = arg;
    struct decoder *decoder = shared->decoder;
    size_t used = decoder->scratch_used;
    int rc;

    (void)n;
    rc = blosc_block_into(decoder, shared->chunk, shared->block, to, err);
    decoder->scratch_used = used;
    return rc;
}

static int large_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                       struct block *out, struct err *err)
{
    const struct blosc1_frame *frame = &chunk->stored->frame;
    uint64_t end = out->begin + out->nbytes, at = out->begin;
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);

    (void)i;
    (void)forms;
    out->data = to;
    while (to != NULL && at < end) {
        struct cached shared = {decoder, chunk, (uint32_t)(at / frame->block_size)};
        uint64_t first = (uint64_t)shared.block * frame->block_size;
        uint64_t size = blosc1_block_nbytes(frame, shared.block);
        size_t n = (size_t)(size_min(first + size, end) - at);

        if (cached_copy(&shared, fill_large, size, at - first, to, n, err) != 0)
            return -1;
        to += n;
        at += n;
    }
    return to == NULL ? -1 : 0;
}

static enum need large_needs(struct decoder *decoder, struct chunk *chunk,
                             const struct blocks_wanted *wanted, struct chunk_need *need,
                             struct err *err)
{
    uint64_t first = wanted->first, last = wanted->last;

    blosc_blocks_of(chunk, &first, &last);
    return blosc_blocks_need(chunk, first, last, cached_is_not, decoder, need, err);
}

const struct layout_ops layout_large = {.block = large_block, .needs = large_needs};
