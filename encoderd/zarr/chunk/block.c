/*
 * block: decoding one block into the decoder's scratch.
 */
#include "common/bytes.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/decoder_impl.h"
#include "encoderd/zarr/codec/blosc1_decode.h"

#include <string.h>

_Static_assert(BYTES_LEAD >= BLOSC1_ROOM, "no room for a frame's header");

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
    for (unsigned a = walk->meta->ndim; a > 0; a--) {
        unsigned d = walk->meta->axes[a - 1];

        walk->at += walk->stride[d];
        if (++walk->index[d] < walk->meta->chunk[d])
            return;
        walk->at -= walk->stride[d] * walk->meta->chunk[d];
        walk->index[d] = 0;
    }
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
void bytes_to_native(const struct dtype *dtype, uint8_t *data, size_t nbytes)
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
    bytes_to_native(&chunk->array->meta.dtype, to, out->nbytes);
    out->data = to;
    return 0;
}

/* ---- blocks whose bytes are all the same ---- */

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

/* ---- blocks that were kept ---- */

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

bool chunk_block_is_kept(const struct decoder *decoder, const struct chunk *chunk, uint32_t i)
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

/* ---- Blosc ---- */

static void count(struct decoder *decoder, const struct block *block)
{
    decoder->stats.blocks++;
    decoder->stats.bytes_decoded += block->nbytes;
}

/* The block's stored bytes are at `in`, which has room in front of it. */
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
    if (blosc1_decode_plain(frame, i, in, n, to, err) < 0)
        return -1;
    bytes_to_native(dtype, to, out->nbytes);
    out->data = to;
    return 0;
}

static size_t block_nbytes(const struct chunk *chunk, uint64_t i)
{
    return (size_t)size_min(chunk->block_size, chunk->nbytes - i * chunk->block_size);
}

/* As far as the block may need them. */
size_t chunk_stored_nbytes(const struct chunk *chunk, uint32_t i)
{
    return (size_t)size_min(chunk->stored->ends[i] - chunk->stored->begins[i],
                            blosc1_block_cbytes_max(&chunk->stored->frame, i));
}

int decoder_stored(struct decoder *decoder, struct chunk *chunk, uint64_t i,
                   struct stored_block *out, struct err *err)
{
    uint8_t bytes[STORED_BLOCK_MAX];
    size_t n;

    *out = (struct stored_block){0};
    if (chunk->layout != LAYOUT_BLOSC || i >= chunk->nblocks)
        return 0;
    n = chunk_stored_nbytes(chunk, (uint32_t)i);
    if (n > sizeof bytes)
        return 0;
    if (chunk_read(decoder, chunk, chunk->stored->begins[i], bytes, n, err) < 0)
        return decoder_name_chunk(chunk->array, chunk->label, err);
    *out = stored_as(&chunk->stored->frame, block_nbytes(chunk, i), bytes, n);
    return 0;
}

static int blosc_block(struct decoder *decoder, struct chunk *chunk, uint32_t i, unsigned forms,
                       struct block *out, struct err *err)
{
    const struct blosc1_frame *frame = &chunk->stored->frame;
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
        count(decoder, out);
        decoder->constant = constant;
        make_constant(&decoder->constant, out);
    } else if (kept && decoder->keeps) {
        keep(decoder, chunk, i, out);
    }
    return 0;
}

int blosc_block_into(struct decoder *decoder, struct chunk *chunk, uint32_t i, uint8_t *to,
                     struct err *err)
{
    const struct blosc1_frame *frame = &chunk->stored->frame;
    const size_t n = chunk_stored_nbytes(chunk, i);
    uint8_t *in = chunk_bytes(decoder, chunk, chunk->stored->begins[i], n, err);

    if (in == NULL || blosc1_decode_plain(frame, i, in, n, to, err) < 0)
        return -1;
    bytes_to_native(&chunk->array->meta.dtype, to, blosc1_block_nbytes(frame, i));
    return 0;
}

/* Blosc's blocks as far as they lie in the piece, one after another. */
static int recut_block(struct decoder *decoder, struct chunk *chunk, struct block *out,
                       struct err *err)
{
    const struct blosc1_frame *frame = &chunk->stored->frame;
    uint64_t end = out->begin + out->nbytes, i = out->begin / frame->block_size;
    uint8_t *to = decoder_scratch(decoder, out->nbytes, err);
    uint8_t *room = to == NULL ? NULL : decoder_scratch(decoder, frame->block_size, err);
    const size_t used = decoder->scratch_used;

    if (room == NULL)
        return -1;
    for (; i * frame->block_size < end; i++) {
        uint32_t at = chunk->stored->begins[i], k = (uint32_t)i;
        size_t n = (size_t)size_min(chunk->stored->ends[i] - at, blosc1_block_cbytes_max(frame, k));
        uint64_t first = i * frame->block_size;
        uint64_t from = size_max(first, out->begin);
        uint64_t until = size_min(first + blosc1_block_nbytes(frame, k), end);

        uint8_t *in = chunk_bytes(decoder, chunk, at, n, err);

        if (in == NULL || blosc1_decode_plain(frame, k, in, n, room, err) < 0)
            return -1;
        decoder->scratch_used = used;
        memcpy(to + (from - out->begin), room + (from - first), (size_t)(until - from));
    }
    bytes_to_native(&chunk->array->meta.dtype, to, out->nbytes);
    out->data = to;
    return 0;
}

static int decode(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                  struct block *out, struct err *err)
{
    switch (chunk->layout) {
    case LAYOUT_ABSENT:
        if ((forms & BLOCK_MAY_BE_CONSTANT) != 0 && chunk->array->meta.dtype.size == 1) {
            out->form = BLOCK_CONSTANT;
            out->known = true;
            out->data = chunk->array->meta.fill;
            return 0;
        }
        return fill_block(decoder, &chunk->array->meta, out, err);
    case LAYOUT_RAW:
        return raw_block(decoder, chunk, out, err);
    case LAYOUT_BLOSC:
        return blosc_block(decoder, chunk, (uint32_t)i, forms, out, err);
    case LAYOUT_RECUT:
        return recut_block(decoder, chunk, out, err);
    case LAYOUT_LARGE:
        return large_block(decoder, chunk, out, err);
    case LAYOUT_WHOLE:
        return whole_block(decoder, chunk, out, err);
    case LAYOUT_SHARED:
        return shared_block(decoder, chunk, out, err);
    case LAYOUT_STREAM:
        return stream_block(decoder, chunk, out, err);
    case LAYOUT_SPILL:
        return spill_block(decoder, chunk, out, err);
    }
    return err_set(err, ERR_SYSTEM, "a chunk of no layout");
}

/* Only when it is decoded does it turn out that a zstd window is longer than there is memory for. The
 * temporary file has blocks of the same size. */
static int decode_or_spill(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                           struct block *out, struct err *err)
{
    struct err why;

    if (store_spill(chunk->array->store) == NULL ||
        (chunk->layout != LAYOUT_STREAM && chunk->layout != LAYOUT_SHARED))
        return decode(decoder, chunk, i, forms, out, err);
    if (decode(decoder, chunk, i, forms, out, &why) == 0)
        return 0;
    if (why.code == ERR_BUDGET) {
        decoder_drop_stream(decoder, chunk);
        decoder_scratch_reset(decoder);
        chunk->layout = LAYOUT_SPILL;
        return spill_block(decoder, chunk, out, err);
    }
    if (err != NULL)
        *err = why;
    return -1;
}

int decoder_block_as(struct decoder *decoder, struct chunk *chunk, uint64_t i, unsigned forms,
                     struct block *out, struct err *err)
{
    if (i >= chunk->nblocks)
        return err_set(err, ERR_USAGE, "%s (%s): it has no block %llu", chunk->label,
                       store_path(chunk->array->store), (unsigned long long)i);
    *out = (struct block){
        .form = BLOCK_PLAIN, .begin = i * chunk->block_size, .nbytes = block_nbytes(chunk, i)};
    decoder_scratch_reset(decoder);
    evidence_note(decoder->slot, chunk->label, i);
    if (decode_or_spill(decoder, chunk, i, forms, out, err) < 0)
        return decoder_name_chunk(chunk->array, chunk->label, err);
    /* A constant that took decoding was counted then. */
    if (!out->known)
        count(decoder, out);
    return 0;
}

int decoder_block(struct decoder *decoder, struct chunk *chunk, uint64_t i, bool planes_ok,
                  struct block *out, struct err *err)
{
    return decoder_block_as(decoder, chunk, i, planes_ok ? BLOCK_MAY_BE_PLANES : 0, out, err);
}
