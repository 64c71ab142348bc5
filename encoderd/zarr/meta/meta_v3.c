/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_v3: zarr.json of an array.
 */
#include "common/cleanup.h"
#include "encoderd/zarr/meta/meta_impl.h"

#include <string.h>

static const struct {
    const char *name;
    struct dtype dtype;
} simple_types[] = {
    {"bool", {DTYPE_BOOL, 1, false}},     {"int8", {DTYPE_INT, 1, false}},
    {"int16", {DTYPE_INT, 2, false}},     {"int32", {DTYPE_INT, 4, false}},
    {"int64", {DTYPE_INT, 8, false}},     {"uint8", {DTYPE_UINT, 1, false}},
    {"uint16", {DTYPE_UINT, 2, false}},   {"uint32", {DTYPE_UINT, 4, false}},
    {"uint64", {DTYPE_UINT, 8, false}},   {"float16", {DTYPE_FLOAT, 2, false}},
    {"float32", {DTYPE_FLOAT, 4, false}}, {"float64", {DTYPE_FLOAT, 8, false}},
    {"string", {DTYPE_STRING, 0, false}},
};

static int fixed_string_type(const char *array, enum dtype_kind kind, const json_t *config,
                             struct dtype *out, struct err *err)
{
    const json_t *value = json_object_get(config, "length_bytes");
    json_int_t size = json_integer_value(value);

    if (!json_is_integer(value) || size < 1 || size > 1 << 30 ||
        (kind == DTYPE_UCS4 && size % 4 != 0))
        return err_set(err, ERR_CORRUPT, "%s: its data_type has no usable length_bytes", array);
    *out = (struct dtype){kind, (uint32_t)size, false};
    return 0;
}

static int parse_dtype(const char *array, const json_t *value, struct dtype *out, struct err *err)
{
    const json_t *config;
    const char *name = meta_extension(value, &config);

    if (name == NULL)
        return err_set(err, ERR_CORRUPT, "%s: data_type is missing or has no name", array);
    for (size_t i = 0; i < sizeof simple_types / sizeof simple_types[0]; i++)
        if (strcmp(simple_types[i].name, name) == 0) {
            *out = simple_types[i].dtype;
            return 0;
        }
    if (strcmp(name, "null_terminated_bytes") == 0)
        return fixed_string_type(array, DTYPE_BYTES, config, out, err);
    if (strcmp(name, "fixed_length_utf32") == 0)
        return fixed_string_type(array, DTYPE_UCS4, config, out, err);
    return err_set(err, ERR_UNSUPPORTED, "%s: data type \"%.64s\" is not supported", array, name);
}

static int parse_grid(const char *array, json_t *top, struct zarr_meta *meta, struct err *err)
{
    const json_t *config;
    const char *name = meta_extension(json_object_get(top, "chunk_grid"), &config);

    if (meta_lengths(array, "shape", json_object_get(top, "shape"), 0, &meta->ndim, meta->shape,
                     err) != 0)
        return -1;
    if (name == NULL)
        return err_set(err, ERR_CORRUPT, "%s: chunk_grid is missing or has no name", array);
    if (strcmp(name, "regular") != 0)
        return err_set(err, ERR_UNSUPPORTED, "%s: chunk grid \"%.64s\" is not supported", array,
                       name);
    return meta_chunks(array, "chunk_shape", json_object_get(config, "chunk_shape"), meta, err);
}

static int parse_keys(const char *array, json_t *top, struct zarr_meta *meta, struct err *err)
{
    const json_t *config;
    const char *name = meta_extension(json_object_get(top, "chunk_key_encoding"), &config);
    const json_t *separator = json_object_get(config, "separator");

    if (name == NULL)
        return err_set(err, ERR_CORRUPT, "%s: chunk_key_encoding is missing or has no name", array);
    meta->key_prefix = strcmp(name, "default") == 0;
    if (!meta->key_prefix && strcmp(name, "v2") != 0)
        return err_set(err, ERR_UNSUPPORTED, "%s: chunk key encoding \"%.64s\" is not supported",
                       array, name);
    return meta_separator(array, separator, meta->key_prefix ? '/' : '.', &meta->separator, err);
}

/* A member that a v3 reader does not know must be refused, unless the member says that it may be
 * ignored. */
static int check_members(const char *array, json_t *top, struct err *err)
{
    static const char *const known[] = {
        "zarr_format",         "node_type",  "shape",  "data_type",  "chunk_grid",
        "chunk_key_encoding",  "fill_value", "codecs", "attributes", "dimension_names",
        "storage_transformers"};
    const char *name;
    json_t *value;

    json_object_foreach (top, name, value) {
        bool ok = json_is_false(json_object_get(value, "must_understand"));

        for (size_t i = 0; i < sizeof known / sizeof known[0] && !ok; i++)
            ok = strcmp(known[i], name) == 0;
        if (!ok)
            return err_set(err, ERR_UNSUPPORTED, "%s: metadata member \"%.64s\" is not supported",
                           array, name);
    }
    if (json_array_size(json_object_get(top, "storage_transformers")) > 0)
        return err_set(err, ERR_UNSUPPORTED, "%s: storage transformers are not supported", array);
    return 0;
}

static int parse(const char *array, json_t *top, struct zarr_meta *meta, struct err *err)
{
    const json_t *format = json_object_get(top, "zarr_format");
    const char *node = json_string_value(json_object_get(top, "node_type"));
    const json_t *fill = json_object_get(top, "fill_value");

    if (!json_is_integer(format) || json_integer_value(format) != 3)
        return err_set(err, ERR_CORRUPT, "%s: zarr_format is not 3", array);
    if (node == NULL || strcmp(node, "array") != 0)
        return err_set(err, ERR_CORRUPT, "%s: not the metadata of an array", array);
    if (fill == NULL)
        return err_set(err, ERR_CORRUPT, "%s: it has no fill_value", array);
    if (check_members(array, top, err) != 0 || parse_grid(array, top, meta, err) != 0 ||
        parse_keys(array, top, meta, err) != 0 ||
        parse_dtype(array, json_object_get(top, "data_type"), &meta->dtype, err) != 0 ||
        meta_codecs_v3(array, json_object_get(top, "codecs"), meta, err) != 0 ||
        meta_fill(array, fill, meta, err) != 0)
        return -1;
    return meta_finish(array, meta, err);
}

int zarr_meta_parse_v3(const char *array, const char *json, size_t len, struct zarr_meta *out,
                       struct err *err)
{
    return meta_parse(array, json, len, 3, parse, out, err);
}
