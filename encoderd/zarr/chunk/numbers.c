/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numbers: chunks as integers or floats.
 */
#include "common/size.h"
#include "encoderd/zarr/chunk/decoder_impl.h"
#include "encoderd/zarr/meta/ints.h"

/* Writes the block's elements that are among [first, first + n) to their places in out[0 .. n). */
static int ints_of_block(const struct dtype *dtype, const struct block *block, uint64_t first,
                         uint64_t n, int64_t *out, struct err *err)
{
    bool wide = dtype->kind == DTYPE_UINT && dtype->size == 8;
    uint64_t begin = block->begin / dtype->size, end = begin + block->nbytes / dtype->size;

    end = size_min(end, first + n);
    for (uint64_t k = size_max(begin, first); k < end; k++) {
        int64_t value = zarr_int(dtype, block->data + (k - begin) * dtype->size);

        if ((dtype->kind == DTYPE_BOOL && value > 1) || (wide && value < 0))
            return err_set(err, ERR_CORRUPT, "element %llu has no place in its type",
                           (unsigned long long)k);
        out[k - first] = value;
    }
    return 0;
}

int zarr_chunk_ints(struct decoder *decoder, const struct zarr_array *array, const uint64_t *index,
                    int64_t *out, struct err *err)
{
    return zarr_chunk_ints_at(decoder, array, index, 0, array->meta.chunk_elements, out, err);
}

int zarr_chunk_ints_at(struct decoder *decoder, const struct zarr_array *array,
                       const uint64_t *index, uint64_t first, uint64_t n, int64_t *out,
                       struct err *err)
{
    const struct dtype *dtype = &array->meta.dtype;
    struct chunk *chunk;
    struct block block;
    uint64_t last;
    char name[24];

    if (dtype->kind != DTYPE_BOOL && dtype->kind != DTYPE_INT && dtype->kind != DTYPE_UINT)
        return zarr_array_fail(array, err, ERR_DATA, "it holds %s and not whole numbers",
                               dtype_name(dtype, name, sizeof name));
    if (!size_range_ok(first, n, array->meta.chunk_elements))
        return zarr_array_fail(array, err, ERR_USAGE, "elements past the end of a chunk");
    if (n == 0)
        return 0;
    if (decoder_chunk(decoder, array, index, &chunk, err) != 0)
        return -1;
    last = ((first + n) * dtype->size - 1) / chunk_block_size(chunk);
    for (uint64_t i = first * dtype->size / chunk_block_size(chunk); i <= last; i++) {
        if (decoder_block(decoder, chunk, i, false, &block, err) != 0)
            return -1;
        if (ints_of_block(dtype, &block, first, n, out, err) != 0)
            return decoder_name_chunk(array, chunk->label, err);
    }
    return 0;
}
