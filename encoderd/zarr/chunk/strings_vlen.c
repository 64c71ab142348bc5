/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strings_vlen: strings of variable length, of a chunk in memory if it fits.
 */
#include "common/bytes.h"
#include "common/cleanup.h"
#include "encoderd/zarr/chunk/strings_parts.h"
#include "encoderd/zarr/meta/utf8.h"
#include "encoderd/zarr/store/damaged.h"

#include <string.h>

/* Parses uint32 count, then count × (uint32 length, bytes). */
static int split_vlen(const struct zarr_meta *meta, struct strings *out, struct err *err)
{
    const uint8_t *data = out->bytes.data;
    size_t at = 4, n = out->bytes.len;
    struct fortran_walk walk;

    if (n < 4 || get_le32(data) != meta->chunk_elements)
        return err_set(err, ERR_CORRUPT, "it does not hold the %llu strings of a chunk; " DAMAGED,
                       (unsigned long long)meta->chunk_elements);
    /* Memory is reserved only for as many strings as the bytes can hold, because the count may be
     * wrong. */
    if (n / 4 <= meta->chunk_elements)
        return strings_bad(n / 4, "runs past the end of the chunk", err);
    if (strings_reserve(out, meta->chunk_elements, err) != 0)
        return -1;
    fortran_begin(&walk, meta);
    for (uint64_t k = 0; k < meta->chunk_elements; k++, fortran_next(&walk)) {
        uint32_t len = n - at >= 4 ? get_le32(data + at) : 0;

        if (n - at < 4 || len > n - at - 4)
            return strings_bad(k, "runs past the end of the chunk", err);
        if (!utf8_valid(data + at + 4, len))
            return strings_bad(k, "is not UTF-8", err);
        out->items[meta->fortran ? walk.at : k] = (struct str){(const char *)data + at + 4, len};
        at += 4 + (size_t)len;
    }
    return at == n ? 0 : strings_bad(meta->chunk_elements, "is one too many", err);
}

/* Reads the whole chunk; its stored and its decoded bytes may be up to `max` each. */
static int read_vlen(struct decoder *decoder, const struct chunk *chunk, size_t max,
                     struct strings *out, struct err *err)
{
    CLEANUP(buf_free) struct buf stored = {0};
    uint64_t n = chunk->length;
    uint8_t *to;

    if (n > max)
        return err_set(err, ERR_BUDGET,
                       "%llu bytes of strings are more than the %zu that are held at once: raise "
                       "--memory, or rewrite the store with smaller chunks",
                       (unsigned long long)n, max);
    to = buf_reserve(&stored, (size_t)n);
    if (to == NULL)
        return err_nomem(err, "%llu bytes", (unsigned long long)n);
    if (chunk_read(decoder, chunk, 0, to, (size_t)n, err) != 0 ||
        codecs_decode_buf(&decoder->codecs, &chunk->array->meta, to, (size_t)n, max, &out->bytes,
                          err) != 0)
        return -1;
    decoder->stats.blocks++;
    decoder->stats.bytes_decoded += out->bytes.len;
    return split_vlen(&chunk->array->meta, out, err);
}

static int vlen_part(struct decoder *decoder, struct chunk *chunk,
                     const struct strings_request *request, struct strings *out, struct err *err)
{
    const bool small = chunk->array->meta.chunk_elements <= request->budget / sizeof(struct str);
    const bool all = request->least == chunk->array->meta.chunk_elements;
    struct err why = {0};

    if (store_spill(chunk->array->store) == NULL)
        return read_vlen(decoder, chunk, strings_nbytes_max(decoder), out, err);
    if ((small || all) && chunk->length <= request->budget) {
        if (read_vlen(decoder, chunk, request->budget, out, &why) == 0)
            return 0;
        if (why.code != ERR_BUDGET) {
            if (err != NULL)
                *err = why;
            return -1;
        }
        buf_reset(&out->bytes);
    }
    return strings_spilled(decoder, chunk, request, out, err);
}

static int vlen_located(struct decoder *decoder, struct chunk *chunk, const uint64_t *index,
                        const struct strings_request *request, struct strings *out, struct err *err)
{
    CLEANUP(chunk_need_clear) struct chunk_need need = {.may_wait = true};

    if (stored_make(chunk->stored, chunk->array, index, STORED_LOCATED, &need, err) != NEED_THERE)
        return -1;
    decoder->stats.unforeseen += decoder->need != NULL && need.holds != NULL;
    chunk->base = chunk->stored->base;
    chunk->length = chunk->stored->length;
    return chunk->stored->object == NULL ? strings_fill(&chunk->array->meta, request, out, err)
                                         : vlen_part(decoder, chunk, request, out, err);
}

int strings_vlen_chunk(struct decoder *decoder, const struct zarr_array *array,
                       const uint64_t *index, const struct strings_request *request,
                       struct strings *out, struct err *err)
{
    struct chunk chunk = {.array = array};
    int rc;

    if (decoder_index_check(array, index, err) != 0)
        return -1;
    memcpy(chunk.identity, array->identity, sizeof chunk.identity);
    decoder->spills = store_spill(array->store) != NULL;
    chunk_label(array, index, chunk.label);
    chunk.stored = stored_get(decoder->table, array, index, err);
    if (chunk.stored == NULL || decoder_begin(decoder, array, chunk.label, err) != 0)
        rc = -1;
    else
        rc = vlen_located(decoder, &chunk, index, request, out, err);
    stored_put(chunk.stored);
    return rc != 0 ? decoder_name_chunk(array, chunk.label, err) : 0;
}
