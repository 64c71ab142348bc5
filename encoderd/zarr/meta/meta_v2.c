/*
 * meta_v2: .zarray.
 */
#include "common/cleanup.h"
#include "encoderd/zarr/meta/meta_impl.h"

#include <stdio.h>
#include <string.h>

/* Dates, durations, complex numbers, bytes of no type and long doubles are NumPy's; others are nobody's. */
static int bad_dtype(const char *array, const char *text, struct err *err)
{
    const bool known = strlen(text) >= 3 && strchr("|<>", text[0]) != NULL &&
                       (strchr("MmcV", text[1]) != NULL || strcmp(text + 1, "f16") == 0 ||
                        strcmp(text + 1, "f12") == 0);

    return err_set(err, known ? ERR_UNSUPPORTED : ERR_CORRUPT, "%s: dtype \"%.64s\" is %s", array,
                   text, known ? "not supported" : "none that there is");
}

static int number_dtype(const char *array, const char *text, uint32_t size, struct dtype *out,
                        struct err *err)
{
    bool whole = size == 1 || size == 2 || size == 4 || size == 8;

    switch (text[1]) {
    case 'b':
        *out = (struct dtype){DTYPE_BOOL, 1, false};
        return size == 1 ? 0 : bad_dtype(array, text, err);
    case 'i':
        *out = (struct dtype){DTYPE_INT, size, false};
        break;
    case 'u':
        *out = (struct dtype){DTYPE_UINT, size, false};
        break;
    case 'f':
        *out = (struct dtype){DTYPE_FLOAT, size, false};
        whole = whole && size > 1;
        break;
    default:
        return bad_dtype(array, text, err);
    }
    if (!whole || (size > 1 && text[0] == '|'))
        return bad_dtype(array, text, err);
    out->big_endian = size > 1 && text[0] == '>';
    return 0;
}

/* "<i2": byte order, kind, size (of a U: in characters). */
int meta_dtype_v2(const char *array, const json_t *value, struct dtype *out, struct err *err)
{
    const char *text = json_string_value(value);
    unsigned size;
    int used = 0;

    if (text == NULL)
        return err_set(err, json_is_array(value) ? ERR_UNSUPPORTED : ERR_CORRUPT,
                       "%s: its dtype is not a simple type", array);
    if (strcmp(text, "|O") == 0) {
        *out = (struct dtype){DTYPE_STRING, 0, false};
        return 0;
    }
    if (strlen(text) < 3 || strlen(text) > 10 || strchr("|<>", text[0]) == NULL || text[2] < '1' ||
        text[2] > '9' || sscanf(text + 2, "%u%n", &size, &used) != 1 || text[2 + used] != '\0')
        return bad_dtype(array, text, err);
    if (text[1] == 'S') {
        *out = (struct dtype){DTYPE_BYTES, size, false};
        return 0;
    }
    if (text[1] == 'U') {
        *out = (struct dtype){DTYPE_UCS4, size * 4, text[0] == '>'};
        return text[0] == '|' ? bad_dtype(array, text, err) : 0;
    }
    return number_dtype(array, text, size, out, err);
}

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
                     err) < 0 ||
        meta_chunks(array, "chunks", json_object_get(top, "chunks"), meta, err) < 0)
        return -1;
    if (order == NULL || (strcmp(order, "C") != 0 && strcmp(order, "F") != 0))
        return err_set(err, ERR_CORRUPT, "%s: its order is neither \"C\" nor \"F\"", array);
    for (unsigned d = 0; d < meta->ndim; d++)
        meta->axes[d] = (uint8_t)(order[0] == 'F' ? meta->ndim - 1 - d : d);
    return meta_separator(array, json_object_get(top, "dimension_separator"), '.', &meta->separator,
                          err);
}

static int parse(const char *array, const json_t *top, struct zarr_meta *meta, struct err *err)
{
    const json_t *format = json_object_get(top, "zarr_format");

    if (!json_is_integer(format) || json_integer_value(format) != 2)
        return err_set(err, ERR_CORRUPT, "%s: zarr_format is not 2", array);
    if (parse_layout(array, top, meta, err) < 0 ||
        meta_dtype_v2(array, json_object_get(top, "dtype"), &meta->dtype, err) < 0 ||
        meta_filters(array, json_object_get(top, "filters"), meta, err) < 0 ||
        parse_compressor(array, json_object_get(top, "compressor"), meta, err) < 0 ||
        meta_fill(array, json_object_get(top, "fill_value"), meta, err) < 0)
        return -1;
    return meta_finish(array, meta, err);
}

int zarr_meta_parse_v2(const char *array, const char *json, size_t len, struct zarr_meta *out,
                       struct err *err)
{
    AUTO_JSON json_t *top = meta_load(array, json, len, err);

    *out = (struct zarr_meta){.format = 2};
    if (top == NULL || parse(array, top, out, err) < 0) {
        zarr_meta_clear(out);
        return -1;
    }
    return 0;
}
