/* SPDX-License-Identifier: Apache-2.0 */
/*
 * needs: finds the stored bytes that blocks need.
 */
#include "common/size.h"
#include "encoderd/zarr/chunk/decoder_impl.h"

#include <string.h>

static enum need ask_layout(const struct blocks_need *blocks, struct err *err)
{
    const struct blocks_wanted wanted = {blocks->first, blocks->last, blocks->forms};
    const struct layout_ops *layout = blocks->chunk->layout;
    enum need rc = NEED_SLOW;

    if (layout->needs != NULL)
        rc = layout->needs(blocks->decoder, blocks->chunk, &wanted, blocks->need, err);
    if (rc == NEED_FAILED)
        decoder_name_chunk(blocks->chunk->array, blocks->chunk->label, err);
    return rc;
}

static void ask(struct blocks_need *blocks, struct err *err)
{
    if (!blocks->any || blocks->answer == NEED_FAILED || blocks->answer >= NEED_FULL)
        return;
    blocks->any = false;
    blocks->nblocks += blocks->last - blocks->first + 1;
    blocks->answer = need_worse(blocks->answer, ask_layout(blocks, err));
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
    return chunk_need_whole(chunk, need, err);
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

    if (decoder_index_check(array, index, err) != 0)
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
