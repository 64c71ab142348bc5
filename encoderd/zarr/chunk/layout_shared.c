/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_shared: blocks are pieces of a chunk that can only be decoded whole. It is decoded once
 * for all decoders, into the cache.
 */
#include "common/size.h"
#include "encoderd/zarr/chunk/cached.h"
#include "encoderd/zarr/chunk/whole.h"

static int fill_chunk(void *arg, uint8_t *to, size_t n, struct err *err)
{
    const struct cached *shared = arg;
    struct decoder *decoder = shared->decoder;
    struct chunk *chunk = shared->chunk;
    size_t used = decoder->scratch_used;
    int rc;

    (void)n;
    if (whole_fits(decoder, chunk, used))
        rc = whole_decode(decoder, chunk, to, err);
    else
        rc = whole_stream(decoder, chunk, to, err);
    decoder->scratch_used = used;
    return rc;
}

static int shared_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                        struct block *out, struct err *err)
{
    struct cached shared = {.decoder = decoder, .chunk = chunk};
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);

    (void)i;
    (void)forms;
    out->data = to;
    if (to == NULL)
        return -1;
    return cached_copy(&shared, fill_chunk, chunk->nbytes, out->begin, to, out->nbytes, err);
}

static enum need shared_needs(struct decoder *decoder, struct chunk *chunk,
                              const struct blocks_wanted *wanted, struct chunk_need *need,
                              struct err *err)
{
    (void)wanted;
    if (!cached_is_not(decoder, chunk, 0))
        return NEED_THERE;
    if (!whole_fits(decoder, chunk, size_min(chunk->block_size, chunk->nbytes) + SCRATCH_SLACK))
        return NEED_SLOW;
    return chunk_need_whole(chunk, need, err);
}

const struct layout_ops layout_shared = {
    .block = shared_block, .needs = shared_needs, .otherwise = &layout_spill};
