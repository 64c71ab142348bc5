/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_raw: blocks are pieces of the stored bytes, which need no decoding.
 */
#include "encoderd/zarr/chunk/layouts.h"

#include "common/size.h"

static int raw_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                     struct block *out, struct err *err)
{
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);

    (void)i;
    (void)forms;
    if (to == NULL || chunk_read(decoder, chunk, out->begin, to, out->nbytes, err) != 0)
        return -1;
    bytes_to_native(&chunk->array->meta.dtype, to, out->nbytes);
    out->data = to;
    return 0;
}

static enum need raw_needs(struct decoder *decoder, struct chunk *chunk,
                           const struct blocks_wanted *wanted, struct chunk_need *need,
                           struct err *err)
{
    const uint64_t end = size_min((wanted->last + 1) * chunk->block_size, chunk->nbytes);

    (void)decoder;
    return chunk_need_bytes(chunk, chunk->base + wanted->first * chunk->block_size,
                            chunk->base + end, false, need, err);
}

const struct layout_ops layout_raw = {.block = raw_block, .needs = raw_needs, .in_blocks = true};
