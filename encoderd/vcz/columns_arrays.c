/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/columns.h"

#include "common/size.h"
#include "encoderd/vcz/axes.h"

#include <inttypes.h>

/* The most values per variant and sample that vczfs can read. */
#define WIDTH_MAX 65536

/* Chunks with more variants than this are divided among threads, if their blocks can be decoded one
 * by one. */
#define STRIDE_MAX UINT64_C(262144)

static bool dtype_ok(const struct dtype *dtype)
{
    switch (dtype->kind) {
    case DTYPE_BOOL:
    case DTYPE_STRING:
    case DTYPE_BYTES:
    case DTYPE_UCS4:
        return true;
    case DTYPE_INT:
    case DTYPE_UINT:
        return dtype->size == 1 || dtype->size == 2 || dtype->size == 4 || dtype->size == 8;
    case DTYPE_FLOAT:
        return true;
    }
    return false;
}

static int check_array(const struct vcz *vcz, const struct zarr_array *array, bool per_sample,
                       struct err *err)
{
    const struct zarr_meta *meta = &array->meta;
    unsigned least = per_sample ? 2 : 1;
    char name[32];

    if (!dtype_ok(&meta->dtype))
        return err_set(err, ERR_UNSUPPORTED, "%s: array %s holds %s, which vczfs cannot filter by",
                       store_path(vcz->store), array->name,
                       dtype_name(&meta->dtype, name, sizeof name));
    if (meta->ndim < least || meta->ndim > least + 1)
        return err_set(err, ERR_UNSUPPORTED, "%s: array %s has %u dimensions, not %u or %u",
                       store_path(vcz->store), array->name, meta->ndim, least, least + 1);
    if (meta->shape[0] != vcz->nvariants)
        return err_set(err, ERR_CORRUPT,
                       "%s: array %s has %" PRIu64 " variants, but the store has %" PRIu64,
                       store_path(vcz->store), array->name, meta->shape[0], vcz->nvariants);
    if (per_sample && meta->shape[1] != vcz->nsamples_stored)
        return err_set(err, ERR_CORRUPT,
                       "%s: array %s has %" PRIu64 " samples, but the store has %" PRIu64,
                       store_path(vcz->store), array->name, meta->shape[1], vcz->nsamples_stored);
    if (meta->ndim > least && meta->shape[least] > WIDTH_MAX)
        return err_set(err, ERR_UNSUPPORTED, "%s: array %s has %" PRIu64 " values a variant",
                       store_path(vcz->store), array->name, meta->shape[least]);
    return 0;
}

int column_array_open(const struct vcz *vcz, const char *name, bool per_sample,
                      struct zarr_array **out, struct err *err)
{
    if (zarr_array_open(vcz->group, name, out, err) != 0)
        return -1;
    if (*out == NULL ||
        (check_array(vcz, *out, per_sample, err) == 0 && axes_check(vcz->group, *out, err) == 0))
        return 0;
    zarr_array_free(*out);
    *out = NULL;
    return -1;
}

uint64_t column_array_width(const struct zarr_array *array, bool per_sample)
{
    unsigned least = per_sample ? 2 : 1;

    return array->meta.ndim > least ? array->meta.shape[least] : 1;
}

bool column_array_is_string(const struct zarr_array *array)
{
    enum dtype_kind kind = array->meta.dtype.kind;

    return kind == DTYPE_STRING || kind == DTYPE_BYTES || kind == DTYPE_UCS4;
}

uint64_t column_array_stride(const struct zarr_array *array)
{
    const struct zarr_meta *meta = &array->meta;
    bool by_blocks = meta->ncodecs == 0 || meta->codecs[0] == CODEC_BLOSC;

    if (column_array_is_string(array) || meta->fortran || !by_blocks)
        return meta->chunk[0];
    return size_min(meta->chunk[0], STRIDE_MAX);
}
