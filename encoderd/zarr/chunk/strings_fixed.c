/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strings_fixed: strings of a fixed size: bytes, or four bytes a character.
 */
#include "common/size.h"
#include "encoderd/zarr/chunk/strings_parts.h"
#include "encoderd/zarr/meta/utf8.h"

#include <string.h>

static size_t trimmed(const uint8_t *at, size_t n)
{
    while (n > 0 && at[n - 1] == 0)
        n--;
    return n;
}

/* UTF-8 never takes more bytes than UTF-32, so a block's text fits into what the caller
 * reserved. */
static int put_ucs4(const uint8_t *at, size_t size, struct buf *to, struct str *out)
{
    const uint8_t *begin = to->data + to->len;

    for (size_t i = 0; i < size; i += 4) {
        uint32_t character;
        size_t len;

        memcpy(&character, at + i, 4);
        len = utf8_put(character, to->data + to->len);
        if (len == 0)
            return -1;
        to->len += len;
    }
    to->len = (size_t)(begin - to->data) + trimmed(begin, (size_t)(to->data + to->len - begin));
    *out = (struct str){(const char *)begin, (size_t)(to->data + to->len - begin)};
    return 0;
}

static int put_bytes(const uint8_t *at, size_t size, struct buf *to, struct str *out)
{
    size_t n = trimmed(at, size);

    if (!utf8_valid(at, n))
        return -1;
    memcpy(to->data + to->len, at, n);
    *out = (struct str){(const char *)to->data + to->len, n};
    to->len += n;
    return 0;
}

static int fixed_block(const struct dtype *dtype, const struct block *block, struct strings *out,
                       struct err *err)
{
    uint64_t begin = block->begin / dtype->size, end = begin + block->nbytes / dtype->size;

    end = size_min(end, out->first + out->nitems);
    for (uint64_t k = size_max(begin, out->first); k < end; k++) {
        const uint8_t *at = block->data + (k - begin) * dtype->size;
        struct str *item = &out->items[k - out->first];
        int rc = dtype->kind == DTYPE_UCS4 ? put_ucs4(at, dtype->size, &out->bytes, item)
                                           : put_bytes(at, dtype->size, &out->bytes, item);

        if (rc != 0)
            return strings_bad(k, "is not Unicode", err);
    }
    return 0;
}

int strings_fixed_chunk(struct decoder *decoder, const struct zarr_array *array,
                        const uint64_t *index, const struct strings_request *request,
                        struct strings *out, struct err *err)
{
    const uint64_t size = array->meta.dtype.size, total = array->meta.chunk_elements;
    const uint64_t n = strings_count(request, size + sizeof(struct str), total);
    struct chunk *chunk;
    struct block block;
    uint64_t last;

    if (decoder_chunk(decoder, array, index, &chunk, err) != 0)
        return -1;
    if (chunk_is_absent(chunk))
        return strings_fill(&array->meta, request, out, err) != 0
                   ? decoder_name_chunk(array, chunk->label, err)
                   : 0;
    out->first = request->first;
    if (strings_check_held(decoder, request->least * size, err) != 0 ||
        strings_reserve(out, n, err) != 0)
        return decoder_name_chunk(array, chunk->label, err);
    if (buf_reserve(&out->bytes, (size_t)(n * size)) == NULL) {
        err_nomem(err, "strings");
        return decoder_name_chunk(array, chunk->label, err);
    }
    last = ((request->first + n) * size - 1) / chunk_block_size(chunk);
    for (uint64_t i = request->first * size / chunk_block_size(chunk); i <= last; i++) {
        if (decoder_block(decoder, chunk, i, false, &block, err) != 0)
            return -1;
        if (fixed_block(&array->meta.dtype, &block, out, err) != 0)
            return decoder_name_chunk(array, chunk->label, err);
    }
    return 0;
}
