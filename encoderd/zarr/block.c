/*
 * block: decoding one block into the decoder's scratch.
 */
#include "common/size.h"
#include "encoderd/zarr/blosc1_decode.h"
#include "encoderd/zarr/decoder_impl.h"

#include <string.h>

/* In front of a block's compressed bytes, so that what follows its four length bytes is aligned, and
 * there is room to build a frame around it. */
#define BLOCK_LEAD 60
_Static_assert(BLOCK_LEAD >= BLOSC1_ROOM, "no room for a frame's header");

void fortran_begin(struct fortran_walk *walk, const struct zarr_meta *meta)
{
    uint64_t stride = 1;

    *walk = (struct fortran_walk){.meta = meta};
    for (unsigned d = meta->ndim; d > 0; d--) {
        walk->stride[d - 1] = stride;
        stride *= meta->chunk[d - 1];
    }
}

void fortran_next(struct fortran_walk *walk)
{
    for (unsigned d = 0; d < walk->meta->ndim; d++) {
        walk->at += walk->stride[d];
        if (++walk->index[d] < walk->meta->chunk[d])
            return;
        walk->at -= walk->stride[d] * walk->meta->chunk[d];
        walk->index[d] = 0;
    }
}

static void transpose(const struct zarr_meta *meta, const uint8_t *from, uint8_t *to)
{
    size_t size = meta->dtype.size;
    struct fortran_walk walk;

    fortran_begin(&walk, meta);
    for (uint64_t k = 0; k < meta->chunk_elements; k++, fortran_next(&walk))
        memcpy(to + walk.at * size, from + k * size, size);
}

static void swap_bytes(uint8_t *data, size_t nbytes, uint32_t unit)
{
    for (size_t at = 0; at + unit <= nbytes; at += unit)
        for (uint32_t i = 0; i < unit / 2; i++) {
            uint8_t byte = data[at + i];

            data[at + i] = data[at + unit - 1 - i];
            data[at + unit - 1 - i] = byte;
        }
}

/* Stores name their byte order; blocks have the machine's. */
static void to_native(const struct dtype *dtype, uint8_t *data, size_t nbytes)
{
    bool machine_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    uint32_t unit = dtype->kind == DTYPE_UCS4 ? 4 : dtype->size;

    if (unit > 1 && dtype->kind != DTYPE_BYTES && dtype->big_endian != machine_big)
        swap_bytes(data, nbytes, unit);
}

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

static int raw_block(struct decoder *decoder, struct chunk *chunk, struct block *out,
                     struct err *err)
{
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);

    if (to == NULL || chunk_read(decoder, chunk, out->begin, to, out->nbytes, err) < 0)
        return -1;
    to_native(&chunk->array->meta.dtype, to, out->nbytes);
    out->data = to;
    return 0;
}

static int blosc_block(struct decoder *decoder, struct chunk *chunk, uint32_t i, bool planes_ok,
                       struct block *out, struct err *err)
{
    const struct blosc1_frame *frame = &chunk->frame;
    const struct dtype *dtype = &chunk->array->meta.dtype;
    size_t n =
        (size_t)size_min(chunk->ends[i] - chunk->begins[i], blosc1_block_cbytes_max(frame, i));
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);
    uint8_t *in = to == NULL ? NULL : decoder_scratch(decoder, BLOCK_LEAD + (uint64_t)n, err);

    if (in == NULL)
        return -1;
    in += BLOCK_LEAD;
    if (chunk_read(decoder, chunk, chunk->begins[i], in, n, err) < 0)
        return -1;
    if (planes_ok && dtype->size == 1 && blosc1_block_is_planes(frame, i)) {
        out->form = BLOCK_PLANES;
        return blosc1_decode_planes(frame, i, in, n, decoder->codecs.zstd, to, &out->data, err);
    }
    if (blosc1_decode_plain(frame, i, in, n, to, err) < 0)
        return -1;
    to_native(dtype, to, out->nbytes);
    out->data = to;
    return 0;
}

static int whole_block(struct decoder *decoder, struct chunk *chunk, struct block *out,
                       struct err *err)
{
    const struct zarr_meta *meta = &chunk->array->meta;
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);
    uint8_t *in = to == NULL ? NULL : decoder_scratch(decoder, chunk->length, err);
    uint8_t *turned;

    if (in == NULL || chunk_read(decoder, chunk, 0, in, (size_t)chunk->length, err) < 0 ||
        codecs_decode(&decoder->codecs, meta, in, (size_t)chunk->length, to, out->nbytes, err) < 0)
        return -1;
    out->data = to;
    if (meta->fortran) {
        turned = decoder_scratch(decoder, out->nbytes, err);
        if (turned == NULL)
            return -1;
        transpose(meta, to, turned);
        out->data = to = turned;
    }
    to_native(&meta->dtype, to, out->nbytes);
    return 0;
}

static int decode(struct decoder *decoder, struct chunk *chunk, uint64_t i, bool planes_ok,
                  struct block *out, struct err *err)
{
    switch (chunk->layout) {
    case LAYOUT_ABSENT:
        return fill_block(decoder, &chunk->array->meta, out, err);
    case LAYOUT_RAW:
        return raw_block(decoder, chunk, out, err);
    case LAYOUT_BLOSC:
        return blosc_block(decoder, chunk, (uint32_t)i, planes_ok, out, err);
    case LAYOUT_WHOLE:
        return whole_block(decoder, chunk, out, err);
    }
    return err_set(err, ERR_SYSTEM, "a chunk of no layout");
}

int decoder_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, bool planes_ok,
                  struct block *out, struct err *err)
{
    if (i >= chunk->nblocks)
        return err_set(err, ERR_USAGE, "%s (%s): it has no block %llu", chunk->key,
                       store_path(chunk->array->store), (unsigned long long)i);
    *out = (struct block){.form = BLOCK_PLAIN, .begin = i * chunk->block_size};
    out->nbytes = (size_t)size_min(chunk->block_size, chunk->nbytes - out->begin);
    decoder_scratch_reset(decoder);
    if (decode(decoder, chunk, i, planes_ok, out, err) < 0)
        return decoder_name_chunk(chunk->array, chunk->key, err);
    decoder->stats.blocks++;
    decoder->stats.bytes_decoded += out->nbytes;
    return 0;
}
