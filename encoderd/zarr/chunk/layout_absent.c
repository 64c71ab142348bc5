/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_absent: chunks that are not stored, whose elements are the fill value.
 */
#include "encoderd/zarr/chunk/layouts.h"

#include <string.h>

static int fill_block(struct decoder *decoder, const struct zarr_meta *meta, struct block *out,
                      struct err *err)
{
    size_t size = meta->dtype.size;
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);

    if (to == NULL)
        return -1;
    if (meta->fill_string != NULL)
        return err_set(err, ERR_USAGE, "strings are not read as blocks");
    if (size == 1 || size > sizeof meta->fill) {
        memset(to, size == 1 ? meta->fill[0] : 0, out->nbytes);
    } else {
        for (size_t at = 0; at < out->nbytes; at += size)
            memcpy(to + at, meta->fill, size);
    }
    out->data = to;
    return 0;
}

static int absent_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                        struct block *out, struct err *err)
{
    const struct zarr_meta *meta = &chunk->array->meta;

    (void)i;
    if ((forms & BLOCK_MAY_BE_CONSTANT) == 0 || meta->dtype.size != 1)
        return fill_block(decoder, meta, out, err);
    out->form = BLOCK_CONSTANT;
    out->known = true;
    out->data = meta->fill;
    return 0;
}

static enum need absent_needs(struct decoder *decoder, struct chunk *chunk,
                              const struct blocks_wanted *wanted, struct chunk_need *need,
                              struct err *err)
{
    (void)decoder;
    (void)chunk;
    (void)wanted;
    (void)need;
    (void)err;
    return NEED_THERE;
}

const struct layout_ops layout_absent = {
    .block = absent_block, .needs = absent_needs, .in_blocks = true};
