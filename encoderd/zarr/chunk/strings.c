/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strings: strings of a chunk, of a part of one, or of a whole array.
 */
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/strings_parts.h"

/* The limit for a whole array: its text, and the places of its strings. Two million sample IDs
 * fit. */
#define ARRAY_NBYTES_MAX ((size_t)64 << 20)

int zarr_chunk_strings(struct decoder *decoder, const struct zarr_array *array,
                       const uint64_t *index, struct strings *out, struct err *err)
{
    return zarr_chunk_strings_at(decoder, array, index, 0, array->meta.chunk_elements,
                                 2 * strings_nbytes_max(decoder), out, err);
}

int zarr_chunk_strings_at(struct decoder *decoder, const struct zarr_array *array,
                          const uint64_t *index, uint64_t first, uint64_t least, size_t budget,
                          struct strings *out, struct err *err)
{
    const struct strings_request request = {first, least, budget / 2};
    const struct dtype *dtype = &array->meta.dtype;
    char name[24];

    buf_reset(&out->bytes);
    out->nitems = 0;
    out->first = 0;
    out->absent = false;
    if (least == 0 || !size_range_ok(first, least, array->meta.chunk_elements))
        return zarr_array_fail(array, err, ERR_USAGE, "strings past the end of a chunk");
    switch (dtype->kind) {
    case DTYPE_STRING:
        return strings_vlen_chunk(decoder, array, index, &request, out, err);
    case DTYPE_BYTES:
    case DTYPE_UCS4:
        return strings_fixed_chunk(decoder, array, index, &request, out, err);
    case DTYPE_BOOL:
    case DTYPE_INT:
    case DTYPE_UINT:
    case DTYPE_FLOAT:
        break;
    }
    return zarr_array_fail(array, err, ERR_DATA, "it holds %s and not strings",
                           dtype_name(dtype, name, sizeof name));
}

static int check_array_nbytes(const struct zarr_array *array, uint64_t text, struct err *err)
{
    uint64_t nbytes;

    if (size_mul(array->meta.shape[0], sizeof(struct str), &nbytes) &&
        size_add(nbytes, text, &nbytes) && nbytes <= ARRAY_NBYTES_MAX)
        return 0;
    return zarr_array_fail(array, err, ERR_UNSUPPORTED,
                           "its %llu strings would take more than %zu MiB of memory, the most that "
                           "such an array may: rewrite it with fewer or shorter ones",
                           (unsigned long long)array->meta.shape[0], ARRAY_NBYTES_MAX >> 20);
}

/* Appends the strings of chunk c that are inside the array. */
static int append_chunk(struct decoder *decoder, const struct zarr_array *array, uint64_t c,
                        struct strings *part, struct strings *out, struct err *err)
{
    const struct zarr_meta *meta = &array->meta;
    const uint64_t begin = c * meta->chunk[0];
    const uint64_t n = size_min(meta->chunk[0], meta->shape[0] - begin);

    for (uint64_t k = 0; k < n;) {
        if (zarr_chunk_strings_at(decoder, array, &c, k, 1, decoder->scratch_max / 4, part, err) !=
            0)
            return -1;
        for (; k < n && strings_hold(part, k, 1); k++) {
            const struct str *item = &part->items[k - part->first];

            if (check_array_nbytes(array, (uint64_t)out->bytes.len + item->len, err) != 0)
                return -1;
            buf_append(&out->bytes, item->at, item->len);
            out->items[begin + k].len = item->len;
        }
        if (out->bytes.failed)
            return zarr_array_fail(array, err, ERR_MEMORY, "out of memory for its strings");
    }
    return 0;
}

int zarr_array_strings(struct decoder *decoder, const struct zarr_array *array, struct strings *out,
                       struct err *err)
{
    CLEANUP(strings_free) struct strings part = {0};
    const struct zarr_meta *meta = &array->meta;

    if (meta->ndim != 1)
        return zarr_array_fail(array, err, ERR_DATA, "it has %u dimensions and not one",
                               meta->ndim);
    buf_reset(&out->bytes);
    if (check_array_nbytes(array, 0, err) != 0)
        return -1;
    if (strings_reserve(out, meta->shape[0], err) != 0)
        return err_name(err, "%s (%s)", array->name, store_path(array->store));
    for (uint64_t c = 0; c < meta->nchunks[0]; c++)
        if (append_chunk(decoder, array, c, &part, out, err) != 0)
            return -1;
    out->first = 0;
    strings_point(out, 0);
    return 0;
}
