/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_recut: cuts Blosc's blocks anew, because their borders split elements or calls.
 */
#include "common/size.h"
#include "encoderd/zarr/chunk/blosc_blocks.h"
#include "encoderd/zarr/codec/blosc1_decode.h"

#include <string.h>

/* Joins the parts of Blosc's blocks that are in the piece. */
static int recut_block(struct decoder *decoder, struct chunk *chunk, uint64_t block, unsigned forms,
                       struct block *out, struct err *err)
{
    const struct blosc1_frame *frame = &chunk->stored->frame;
    uint64_t end = out->begin + out->nbytes, i = out->begin / frame->block_size;
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);
    uint8_t *room = to == NULL ? NULL : decoder_scratch(decoder, frame->block_size, err);
    const size_t used = decoder->scratch_used;

    (void)block;
    (void)forms;
    if (room == NULL)
        return -1;
    for (; i * frame->block_size < end; i++) {
        uint32_t at = chunk->stored->begins[i], k = (uint32_t)i;
        size_t n = chunk_stored_nbytes(chunk, k);
        uint64_t first = i * frame->block_size;
        uint64_t from = size_max(first, out->begin);
        uint64_t until = size_min(first + blosc1_block_nbytes(frame, k), end);

        uint8_t *in = chunk_bytes(decoder, chunk, at, n, err);

        if (in == NULL || blosc1_decode_plain(frame, k, in, n, room, err) != 0)
            return -1;
        decoder->scratch_used = used;
        memcpy(to + (from - out->begin), room + (from - first), (size_t)(until - from));
    }
    bytes_to_native(&chunk->array->meta.dtype, to, out->nbytes);
    out->data = to;
    return 0;
}

static enum need recut_needs(struct decoder *decoder, struct chunk *chunk,
                             const struct blocks_wanted *wanted, struct chunk_need *need,
                             struct err *err)
{
    uint64_t first = wanted->first, last = wanted->last;

    blosc_blocks_of(chunk, &first, &last);
    return blosc_blocks_need(chunk, first, last, NULL, decoder, need, err);
}

const struct layout_ops layout_recut = {
    .block = recut_block, .needs = recut_needs, .in_blocks = true};
