/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open: opens chunks and keeps them in the decoder.
 */
#include "common/cleanup.h"
#include "encoderd/zarr/chunk/layout.h"
#include "encoderd/zarr/chunk/layouts.h"

#include <string.h>

static enum need open_chunk(struct decoder *decoder, const struct zarr_array *array,
                            const uint64_t *index, struct chunk_need *need, struct chunk **out,
                            struct err *err)
{
    struct chunk *chunk = pool_get(&decoder->spare);
    enum need rc = NEED_FAILED;

    if (chunk == NULL)
        return err_nomem(err, "array %s", array->name);
    chunk->array = array;
    decoder->spills = store_spill(array->store) != NULL;
    memcpy(chunk->index, index, array->meta.ndim * sizeof *index);
    memcpy(chunk->identity, array->identity, sizeof chunk->identity);
    chunk_label(array, index, chunk->label);
    chunk->stored = stored_get(decoder->table, array, index, err);
    if (chunk->stored != NULL && decoder_begin(decoder, array, chunk->label, err) == 0)
        rc = chunk_lay_out(decoder, chunk, need, err);
    if (rc == NEED_FAILED)
        decoder_name_chunk(array, chunk->label, err);
    if (rc == NEED_THERE)
        *out = chunk;
    else
        decoder_free_chunk(decoder, chunk);
    return rc;
}

/* Compares the array's name and metadata, because another array may have its address by now. */
static bool is_chunk(const struct chunk *chunk, const struct zarr_array *array,
                     const uint64_t *index)
{
    size_t n = strlen(array->name);

    return memcmp(chunk->index, index, array->meta.ndim * sizeof *index) == 0 &&
           memcmp(chunk->identity, array->identity, sizeof chunk->identity) == 0 &&
           strncmp(chunk->label, array->name, n) == 0 && chunk->label[n] == '/';
}

static void evict_oldest(struct decoder *decoder)
{
    size_t oldest = 0;

    for (size_t i = 1; i < decoder->nchunks; i++)
        if (decoder->chunks[i]->used < decoder->chunks[oldest]->used)
            oldest = i;
    decoder_free_chunk(decoder, decoder->chunks[oldest]);
    decoder->chunks[oldest] = decoder->chunks[--decoder->nchunks];
}

static void keep_chunk(struct decoder *decoder, struct chunk *chunk)
{
    if (decoder->nchunks == decoder->nchunks_max)
        evict_oldest(decoder);
    decoder->chunks[decoder->nchunks++] = chunk;
}

static struct chunk *find_chunk(const struct decoder *decoder, const struct zarr_array *array,
                                const uint64_t *index)
{
    for (size_t i = 0; i < decoder->nchunks; i++)
        if (is_chunk(decoder->chunks[i], array, index))
            return decoder->chunks[i];
    return NULL;
}

enum need decoder_need_chunk(struct decoder *decoder, const struct zarr_array *array,
                             const uint64_t *index, struct chunk_need *need, struct chunk **out,
                             struct err *err)
{
    struct chunk *chunk;
    enum need rc;

    if (array->meta.dtype.kind == DTYPE_STRING)
        return zarr_array_fail(array, err, ERR_USAGE, "its strings have no blocks");
    if (decoder_index_check(array, index, err) != 0)
        return NEED_FAILED;
    chunk = find_chunk(decoder, array, index);
    if (chunk == NULL) {
        rc = open_chunk(decoder, array, index, need, &chunk, err);
        if (rc != NEED_THERE)
            return rc;
        keep_chunk(decoder, chunk);
    } else if (decoder_begin(decoder, array, chunk->label, err) != 0) {
        return NEED_FAILED;
    }
    chunk->array = array;
    chunk->used = ++decoder->tick;
    *out = chunk;
    return NEED_THERE;
}

int decoder_chunk(struct decoder *decoder, const struct zarr_array *array, const uint64_t *index,
                  struct chunk **out, struct err *err)
{
    CLEANUP(chunk_need_clear) struct chunk_need need = {.may_wait = true};

    if (decoder_need_chunk(decoder, array, index, &need, out, err) != NEED_THERE)
        return -1;
    decoder->stats.unforeseen += decoder->need != NULL && need.holds != NULL;
    return 0;
}

uint64_t chunk_nbytes(const struct chunk *chunk)
{
    return chunk->nbytes;
}

uint64_t chunk_block_size(const struct chunk *chunk)
{
    return chunk->block_size;
}

uint64_t chunk_nblocks(const struct chunk *chunk)
{
    return chunk->nblocks;
}

bool chunk_is_absent(const struct chunk *chunk)
{
    return chunk->layout == &layout_absent;
}

bool chunk_is_in_blocks(const struct chunk *chunk)
{
    return chunk->layout->in_blocks;
}
