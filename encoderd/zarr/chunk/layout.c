/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout: how a chunk is cut into blocks.
 */
#include "encoderd/zarr/chunk/layout.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/whole.h"
#include "encoderd/zarr/codec/blosc1_decode.h"
#include "encoderd/zarr/store/damaged.h"

/* Raw and absent chunks have no blocks of their own, and are cut into pieces of about this size. */
#define PIECE_NBYTES ((uint64_t)256 << 10)
/* The size of pieces of a chunk that is decoded as a whole, or streamed. */
#define LARGE_PIECE_NBYTES ((uint64_t)1 << 20)
/* The least size of pieces of a stream, so that each of several streams can keep its last one. */
#define STREAM_PIECE_MIN ((uint64_t)64 << 10)
/* Decoding a smaller chunk again is faster than finding it in the cache and copying it. */
#define SHARED_MIN ((uint64_t)64 << 10)
/* The data of one sample of one variant stays in one block, unless it is longer than this. */
#define CALL_NBYTES_MAX ((uint64_t)16 << 10)
/* Writers make Blosc blocks of this size only if they are told to. */
#define LARGE_BLOCK_MIN ((uint64_t)4 << 20)
/* How many Blosc blocks make up a block that is cut anew. */
#define RECUT_BLOCKS ((uint64_t)4)

/* The bytes of one call: the axes after the first two (variants, samples, ...). */
static uint64_t call_nbytes(const struct zarr_meta *meta)
{
    uint64_t nbytes = meta->dtype.size;

    for (unsigned d = 2; d < meta->ndim; d++)
        if (!size_mul(nbytes, meta->chunk[d], &nbytes) || nbytes > CALL_NBYTES_MAX)
            return meta->dtype.size;
    return nbytes;
}

static void cut_pieces(struct chunk *chunk, uint64_t size)
{
    uint64_t unit = call_nbytes(&chunk->array->meta) * 8;

    chunk->block_size = size_max(size / unit, 1) * unit;
    chunk->nblocks = size_div_up(chunk->nbytes, chunk->block_size);
}

static int lay_out_raw(struct chunk *chunk, struct err *err)
{
    chunk->layout = &layout_raw;
    cut_pieces(chunk, PIECE_NBYTES);
    if (chunk->length != chunk->nbytes)
        return err_set(err, ERR_CORRUPT, "it has %llu bytes where a chunk has %llu; " DAMAGED,
                       (unsigned long long)chunk->length, (unsigned long long)chunk->nbytes);
    return 0;
}

/* Elements cross the borders of Blosc's blocks if the writer gave Blosc another element size than
 * the array's. Calls do if their ploidy does not divide the block. */
static void recut(struct chunk *chunk)
{
    uint64_t unit = call_nbytes(&chunk->array->meta);
    uint64_t large = chunk->stored->frame.block_size >= LARGE_PIECE_NBYTES ? 1 : RECUT_BLOCKS;

    chunk->layout = &layout_recut;
    chunk->block_size = size_max(large * chunk->stored->frame.block_size / unit, 1) * unit;
    chunk->nblocks = size_div_up(chunk->nbytes, chunk->block_size);
}

/* Are Blosc's blocks so long that a thread should not decode one for itself when it needs only a
 * part? Elements must not cross their borders. */
static bool is_large(const struct decoder *decoder, const struct chunk *chunk)
{
    const struct blosc1_frame *frame = &chunk->stored->frame;

    return decoder->cache != NULL && frame->block_size >= LARGE_BLOCK_MIN &&
           frame->block_size <= cache_budget(decoder->cache) &&
           (frame->nblocks == 1 || frame->block_size % chunk->array->meta.dtype.size == 0);
}

/* c-blosc's own memory, in blocks. */
#define BLOSC_COPIES ((uint64_t)2)

/* Does the scratch have room for decoding one of the chunk's blocks? */
static bool block_fits(const struct decoder *decoder, const struct chunk *chunk)
{
    const uint64_t block = chunk->stored->frame.block_size;
    uint64_t need = blosc1_block_cbytes_max(&chunk->stored->frame, 0) + 4 * SCRATCH_SLACK;

    if (chunk->layout == &layout_large)
        need += chunk->block_size + BLOSC_COPIES * block;
    else if (chunk->layout == &layout_recut)
        need += chunk->block_size + block;
    else
        need += block;
    return need <= decoder->scratch_max;
}

static enum need lay_out_blosc(struct decoder *decoder, struct chunk *chunk,
                               struct chunk_need *need, struct err *err)
{
    const struct blosc1_frame *frame = &chunk->stored->frame;
    const enum need rc =
        stored_make(chunk->stored, chunk->array, chunk->index, STORED_HEADED, need, err);

    if (rc != NEED_THERE)
        return rc;
    decoder->stats.bytes_read += BLOSC1_HEADER_NBYTES;
    if (frame->stored) {
        chunk->base += BLOSC1_HEADER_NBYTES;
        chunk->length = chunk->nbytes;
        return (enum need)lay_out_raw(chunk, err);
    }
    chunk->layout = &layout_blosc;
    chunk->block_size = frame->block_size;
    chunk->nblocks = frame->nblocks;
    if (is_large(decoder, chunk)) {
        chunk->layout = &layout_large;
        cut_pieces(chunk, LARGE_PIECE_NBYTES);
    } else if (chunk->nblocks > 1 && chunk->block_size % call_nbytes(&chunk->array->meta) != 0) {
        recut(chunk);
    }
    if (store_spill(chunk->array->store) != NULL && !block_fits(decoder, chunk)) {
        chunk->layout = &layout_spill;
        cut_pieces(chunk, LARGE_PIECE_NBYTES);
        return NEED_THERE;
    }
    decoder->stats.bytes_read += (uint64_t)frame->nblocks * 4;
    return stored_make(chunk->stored, chunk->array, chunk->index, STORED_INDEXED, need, err);
}

/* Chooses how a chunk is decoded that has no blocks of its own: once for all decoders, here as one
 * block, streamed, or into the temporary file. If none is possible, it is one block, and reading
 * that block is an error. */
static void lay_out_whole(const struct decoder *decoder, struct chunk *chunk)
{
    const struct zarr_meta *meta = &chunk->array->meta;
    bool streamable = whole_is_streamable(meta), fits, piece_fits;
    uint64_t need = whole_scratch_nbytes(meta, chunk->length), piece, sum;

    cut_pieces(chunk, LARGE_PIECE_NBYTES);
    piece = size_min(chunk->block_size, chunk->nbytes) + SCRATCH_SLACK;
    fits = size_add(need, chunk->nbytes, &sum) && sum <= decoder->scratch_max;
    piece_fits = size_add(need, piece, &sum) && sum <= decoder->scratch_max;
    if (decoder->cache != NULL && chunk->nbytes >= SHARED_MIN &&
        chunk->nbytes <= cache_budget(decoder->cache) && (streamable || piece_fits)) {
        chunk->layout = &layout_shared;
    } else if (!fits && streamable) {
        chunk->layout = &layout_stream;
        cut_pieces(chunk, size_max(STREAM_PIECE_MIN,
                                   size_min(LARGE_PIECE_NBYTES, decoder->scratch_max / 32)));
    } else if (!fits && store_spill(chunk->array->store) != NULL) {
        chunk->layout = &layout_spill;
    } else {
        chunk->layout = &layout_whole;
        chunk->block_size = chunk->nbytes;
        chunk->nblocks = 1;
    }
}

enum need chunk_lay_out(struct decoder *decoder, struct chunk *chunk, struct chunk_need *need,
                        struct err *err)
{
    const struct zarr_meta *meta = &chunk->array->meta;
    const enum need rc =
        stored_make(chunk->stored, chunk->array, chunk->index, STORED_LOCATED, need, err);

    if (rc != NEED_THERE)
        return rc;
    chunk->nbytes = meta->chunk_elements * meta->dtype.size;
    chunk->base = chunk->stored->base;
    chunk->length = chunk->stored->length;
    if (chunk->stored->object == NULL) {
        chunk->layout = &layout_absent;
        cut_pieces(chunk, PIECE_NBYTES);
        return NEED_THERE;
    }
    if (stored_is_blosc(meta))
        return lay_out_blosc(decoder, chunk, need, err);
    if (!meta->fortran && meta->nfilters == 0 && meta->ncodecs == 0)
        return (enum need)lay_out_raw(chunk, err);
    lay_out_whole(decoder, chunk);
    return NEED_THERE;
}
