/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout_blosc: blocks are Blosc's blocks. A block may come as planes, or as one byte if it is
 * stored like the last constant block, or from the block cache.
 */
#include "common/bytes.h"
#include "encoderd/zarr/chunk/blosc_blocks.h"
#include "encoderd/zarr/codec/blosc1_decode.h"

#include <string.h>

/* ---- Blocks whose bytes are all the same ---- */

/* False unless all elements are *value. */
static bool find_constant(const struct block *block, uint8_t *value)
{
    const struct planes *planes = &block->planes;

    *value = block->form == BLOCK_PLANES ? 0 : block->data[0];
    if (block->form == BLOCK_PLAIN)
        return bytes_are_all(block->data, block->nbytes, *value);
    for (unsigned p = 0; p < planes->n; p++) {
        const uint8_t *at = planes->at + p * planes->nbytes;

        if (!bytes_are_all(at, planes->nbytes, at[0]) || (at[0] != 0 && at[0] != 0xff))
            return false;
        *value |= (uint8_t)((at[0] & 1) << p);
    }
    return true;
}

/* nstored 0 if it is stored in too many bytes. */
static struct stored_block stored_as(const struct blosc1_frame *frame, size_t nbytes,
                                     const uint8_t *in, size_t n)
{
    struct stored_block out = {.nbytes = nbytes,
                               .flags = frame->flags,
                               .version_lz = frame->version_lz,
                               .typesize = frame->typesize};

    if (n > STORED_BLOCK_MAX)
        return out;
    memcpy(out.stored, in, n);
    out.nstored = n;
    return out;
}

bool stored_blocks_equal(const struct stored_block *a, const struct stored_block *b)
{
    return a->nstored > 0 && a->nstored == b->nstored && a->nbytes == b->nbytes &&
           a->flags == b->flags && a->version_lz == b->version_lz && a->typesize == b->typesize &&
           memcmp(a->stored, b->stored, a->nstored) == 0;
}

static void make_constant(const struct constant *constant, struct block *out)
{
    out->form = BLOCK_CONSTANT;
    out->known = true;
    out->data = &constant->value;
}

/* ---- Blocks from the block cache ---- */

static struct block_cache_key block_cache_key(const struct chunk *chunk, uint32_t i)
{
    struct block_cache_key key = {.store = chunk->array->store, .block = i};

    memcpy(key.identity, chunk->identity, sizeof key.identity);
    memcpy(key.index, chunk->index, chunk->array->meta.ndim * sizeof *key.index);
    return key;
}

static bool may_be_kept(const struct decoder *decoder, const struct chunk *chunk, uint32_t i,
                        unsigned forms)
{
    return decoder->kept != NULL && (forms & BLOCK_MAY_BE_PLANES) != 0 &&
           chunk->array->meta.dtype.size == 1 && blosc1_block_is_planes(&chunk->stored->frame, i);
}

static bool find_kept(const struct decoder *decoder, const struct chunk *chunk, uint32_t i,
                      uint8_t *to, struct block *out)
{
    const struct block_cache_key key = block_cache_key(chunk, i);
    const struct planes planes = {to, out->nbytes / PLANES_ALL, PLANES_LOW};

    if (!block_cache_get(decoder->kept, &key, planes.nbytes, to))
        return false;
    out->form = BLOCK_PLANES;
    out->known = true;
    out->planes = planes;
    return true;
}

static bool is_kept(const struct decoder *decoder, const struct chunk *chunk, uint32_t i)
{
    const struct block_cache_key key = block_cache_key(chunk, i);

    return may_be_kept(decoder, chunk, i, BLOCK_MAY_BE_PLANES) &&
           block_cache_has(decoder->kept, &key);
}

static void keep(const struct decoder *decoder, const struct chunk *chunk, uint32_t i,
                 const struct block *block)
{
    const struct block_cache_key key = block_cache_key(chunk, i);

    block_cache_put(decoder->kept, &key, &block->planes);
}

static bool is_not_kept(const struct decoder *decoder, const struct chunk *chunk, uint32_t i)
{
    return !is_kept(decoder, chunk, i);
}

/* ---- All of them ---- */

/* Decodes a block whose stored bytes are at `in`, with writable room before them. */
static int decode_stored(struct decoder *decoder, const struct chunk *chunk, uint32_t i,
                         unsigned forms, uint8_t *in, size_t n, uint8_t *to, struct block *out,
                         struct err *err)
{
    const struct blosc1_frame *frame = &chunk->stored->frame;
    const struct dtype *dtype = &chunk->array->meta.dtype;

    if ((forms & BLOCK_MAY_BE_PLANES) != 0 && dtype->size == 1 &&
        blosc1_block_is_planes(frame, i)) {
        out->form = BLOCK_PLANES;
        return blosc1_decode_planes(frame, i, in, n, decoder->codecs.zstd, to, &out->planes, err);
    }
    if (blosc1_decode_plain(frame, i, in, n, to, err) != 0)
        return -1;
    bytes_to_native(dtype, to, out->nbytes);
    out->data = to;
    return 0;
}

int decoder_stored(struct decoder *decoder, struct chunk *chunk, uint64_t i,
                   struct stored_block *out, struct err *err)
{
    uint8_t bytes[STORED_BLOCK_MAX];
    size_t n;

    *out = (struct stored_block){0};
    if (chunk->layout != &layout_blosc || i >= chunk->nblocks)
        return 0;
    n = chunk_stored_nbytes(chunk, (uint32_t)i);
    if (n > sizeof bytes)
        return 0;
    if (chunk_read(decoder, chunk, chunk->stored->begins[i], bytes, n, err) != 0)
        return decoder_name_chunk(chunk->array, chunk->label, err);
    *out = stored_as(&chunk->stored->frame, chunk_block_nbytes(chunk, i), bytes, n);
    return 0;
}

static int blosc_block(struct decoder *decoder, struct chunk *chunk, uint64_t block, unsigned forms,
                       struct block *out, struct err *err)
{
    const struct blosc1_frame *frame = &chunk->stored->frame;
    const uint32_t i = (uint32_t)block;
    const bool constants =
        (forms & BLOCK_MAY_BE_CONSTANT) != 0 && chunk->array->meta.dtype.size == 1;
    const size_t n = chunk_stored_nbytes(chunk, i);
    const bool kept = may_be_kept(decoder, chunk, i, forms);
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);
    struct constant constant = {0};
    uint8_t *in;

    if (to == NULL)
        return -1;
    if (kept && find_kept(decoder, chunk, i, to, out))
        return 0;
    in = chunk_bytes(decoder, chunk, chunk->stored->begins[i], n, err);
    if (in == NULL)
        return -1;
    if (constants) {
        constant.as = stored_as(frame, out->nbytes, in, n);
        if (stored_blocks_equal(&decoder->constant.as, &constant.as)) {
            make_constant(&decoder->constant, out);
            return 0;
        }
    }
    if (decode_stored(decoder, chunk, i, forms, in, n, to, out, err) != 0)
        return -1;
    if (constant.as.nstored > 0 && find_constant(out, &constant.value)) {
        decoder_count(decoder, out);
        decoder->constant = constant;
        make_constant(&decoder->constant, out);
    } else if (kept && decoder->keeps) {
        keep(decoder, chunk, i, out);
    }
    return 0;
}

static enum need blosc_needs(struct decoder *decoder, struct chunk *chunk,
                             const struct blocks_wanted *wanted, struct chunk_need *need,
                             struct err *err)
{
    const bool may_be_kept = (wanted->forms & BLOCK_MAY_BE_PLANES) != 0 && decoder->kept != NULL;

    return blosc_blocks_need(chunk, wanted->first, wanted->last, may_be_kept ? is_not_kept : NULL,
                             decoder, need, err);
}

const struct layout_ops layout_blosc = {
    .block = blosc_block, .needs = blosc_needs, .in_blocks = true};
