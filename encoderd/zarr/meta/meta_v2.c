/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_v2: .zarray.
 */
#include "common/cleanup.h"
#include "encoderd/zarr/meta/meta_impl.h"

#include <string.h>

static int parse_compressor(const char *array, const json_t *compressor, struct zarr_meta *meta,
                            struct err *err)
{
    const char *id = json_string_value(json_object_get(compressor, "id"));

    if (compressor == NULL || json_is_null(compressor))
        return 0;
    if (id == NULL)
        return err_set(err, ERR_CORRUPT, "%s: a compressor without an id", array);
    return meta_add_codec(array, id, compressor, meta, err);
}

static int parse_layout(const char *array, const json_t *top, struct zarr_meta *meta,
                        struct err *err)
{
    const char *order = json_string_value(json_object_get(top, "order"));

    if (meta_lengths(array, "shape", json_object_get(top, "shape"), 0, &meta->ndim, meta->shape,
                     err) != 0 ||
        meta_chunks(array, "chunks", json_object_get(top, "chunks"), meta, err) != 0)
        return -1;
    if (order == NULL || (strcmp(order, "C") != 0 && strcmp(order, "F") != 0))
        return err_set(err, ERR_CORRUPT, "%s: its order is neither \"C\" nor \"F\"", array);
    for (unsigned d = 0; d < meta->ndim; d++)
        meta->axes[d] = (uint8_t)(order[0] == 'F' ? meta->ndim - 1 - d : d);
    return meta_separator(array, json_object_get(top, "dimension_separator"), '.', &meta->separator,
                          err);
}

static int parse(const char *array, json_t *top, struct zarr_meta *meta, struct err *err)
{
    const json_t *format = json_object_get(top, "zarr_format");

    if (!json_is_integer(format) || json_integer_value(format) != 2)
        return err_set(err, ERR_CORRUPT, "%s: zarr_format is not 2", array);
    if (parse_layout(array, top, meta, err) != 0 ||
        meta_dtype_v2(array, json_object_get(top, "dtype"), &meta->dtype, err) != 0 ||
        meta_filters(array, json_object_get(top, "filters"), meta, err) != 0 ||
        parse_compressor(array, json_object_get(top, "compressor"), meta, err) != 0 ||
        meta_fill(array, json_object_get(top, "fill_value"), meta, err) != 0)
        return -1;
    return meta_finish(array, meta, err);
}

int zarr_meta_parse_v2(const char *array, const char *json, size_t len, struct zarr_meta *out,
                       struct err *err)
{
    return meta_parse(array, json, len, 2, parse, out, err);
}
