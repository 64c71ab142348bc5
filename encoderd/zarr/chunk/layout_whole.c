/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_whole: the chunk is one block, decoded through all codecs.
 */
#include "common/size.h"
#include "encoderd/zarr/chunk/whole.h"
#include "encoderd/zarr/codec/filters.h"

#include <string.h>

static void transpose(const struct zarr_meta *meta, const uint8_t *from, uint8_t *to)
{
    size_t size = meta->dtype.size;
    struct fortran_walk walk;

    fortran_begin(&walk, meta);
    for (uint64_t k = 0; k < meta->chunk_elements; k++, fortran_next(&walk))
        memcpy(to + walk.at * size, from + k * size, size);
}

/* Areas of scratch besides the result: for the stored bytes, the output of the codecs, and the
 * output of the filters. Each is needed only if it is not the result itself. */
struct areas {
    uint8_t *stored, *filtered, *turned, *spare[2];
};

static size_t ncompressors(const struct zarr_meta *meta)
{
    size_t n = 0;

    for (size_t i = 0; i < meta->ncodecs; i++)
        n += meta->codecs[i] != CODEC_CRC32C;
    return n;
}

uint64_t whole_scratch_nbytes(const struct zarr_meta *meta, uint64_t length)
{
    uint64_t nbytes = meta->chunk_elements * meta->dtype.size, sum = length + 5 * SCRATCH_SLACK;
    bool ok = true;

    if (meta->nfilters > 0)
        ok = ok && size_add(sum, meta->filtered_nbytes, &sum);
    if (meta->fortran)
        ok = ok && size_add(sum, nbytes, &sum);
    if (meta->nfilters > 1)
        ok = ok && size_add(sum, 2 * filters_spare_nbytes(meta), &sum);
    /* Between two compressors the codecs use memory of their own. */
    if (ncompressors(meta) > 1)
        ok = ok && size_add(sum, 2 * (nbytes + nbytes / 8), &sum);
    return ok ? sum : UINT64_MAX;
}

static int take_areas(struct decoder *decoder, const struct zarr_meta *meta, uint64_t length,
                      struct areas *areas, struct err *err)
{
    uint64_t nbytes = meta->chunk_elements * meta->dtype.size;

    *areas = (struct areas){.stored = decoder_scratch(decoder, length, err)};
    if (areas->stored == NULL)
        return -1;
    if (meta->nfilters > 0) {
        areas->filtered = decoder_scratch(decoder, meta->filtered_nbytes, err);
        if (areas->filtered == NULL)
            return -1;
    }
    if (meta->fortran) {
        areas->turned = decoder_scratch(decoder, nbytes, err);
        if (areas->turned == NULL)
            return -1;
    }
    for (size_t i = 0; meta->nfilters > 1 && i < 2; i++) {
        areas->spare[i] = decoder_scratch(decoder, filters_spare_nbytes(meta), err);
        if (areas->spare[i] == NULL)
            return -1;
    }
    return 0;
}

int whole_decode(struct decoder *decoder, struct chunk *chunk, uint8_t *to, struct err *err)
{
    const struct zarr_meta *meta = &chunk->array->meta;
    uint8_t *elements, *bytes;
    struct areas areas;

    if (take_areas(decoder, meta, chunk->length, &areas, err) != 0)
        return -1;
    elements = meta->fortran ? areas.turned : to;
    bytes = meta->nfilters > 0 ? areas.filtered : elements;
    if (chunk_read(decoder, chunk, 0, areas.stored, (size_t)chunk->length, err) != 0 ||
        codecs_decode(&decoder->codecs, meta, areas.stored, (size_t)chunk->length, bytes,
                      (size_t)meta->filtered_nbytes, err) != 0)
        return -1;
    if (meta->nfilters > 0 && filters_undo(meta, bytes, elements, areas.spare, err) != 0)
        return -1;
    if (meta->fortran)
        transpose(meta, elements, to);
    bytes_to_native(&meta->dtype, to, (size_t)chunk->nbytes);
    return 0;
}

bool whole_fits(const struct decoder *decoder, const struct chunk *chunk, uint64_t used)
{
    return size_range_ok(used, whole_scratch_nbytes(&chunk->array->meta, chunk->length),
                         decoder->scratch_max);
}

static int whole_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                       struct block *out, struct err *err)
{
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);

    (void)i;
    (void)forms;
    if (to == NULL || whole_decode(decoder, chunk, to, err) != 0)
        return -1;
    out->data = to;
    return 0;
}

static enum need whole_needs(struct decoder *decoder, struct chunk *chunk,
                             const struct blocks_wanted *wanted, struct chunk_need *need,
                             struct err *err)
{
    (void)decoder;
    (void)wanted;
    return chunk_need_whole(chunk, need, err);
}

const struct layout_ops layout_whole = {.block = whole_block, .needs = whole_needs};
