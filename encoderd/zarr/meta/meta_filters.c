/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_filters: numcodecs' filters, which change elements before compression. v2 has them in a
 * separate list, v3 among its codecs.
 */
#include "common/cleanup.h"
#include "encoderd/zarr/meta/meta_impl.h"

#include <stdio.h>
#include <string.h>

static bool same_dtype(const struct dtype *a, const struct dtype *b)
{
    return a->kind == b->kind && a->size == b->size && a->big_endian == b->big_endian;
}

static bool is_whole(const struct dtype *dtype)
{
    return dtype->kind == DTYPE_INT || dtype->kind == DTYPE_UINT;
}

static bool is_float(const struct dtype *dtype)
{
    return dtype->kind == DTYPE_FLOAT;
}

static int unsupported(const char *array, const char *id, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED,
                   "%s: filter \"%.64s\" is not supported for its type or in its place", array, id);
}

/* Parses a filter's dtype. v2 always writes it in its own form; in v3 it is the text that the user
 * gave, "int8" or "f4". In v3 the byte order is that of the array, because filters work on numbers,
 * and the codec that makes bytes comes later. */
static int parse_dtype(const char *array, const json_t *value, const struct dtype *now,
                       const struct zarr_meta *meta, struct dtype *out, struct err *err)
{
    static const struct {
        const char *name;
        enum dtype_kind kind;
    } kinds[] = {{"int", DTYPE_INT}, {"uint", DTYPE_UINT}, {"float", DTYPE_FLOAT}};
    const char *text = json_string_value(value);
    unsigned bits;
    char short_text[16];
    int used = 0;

    if (meta->format == 2)
        return meta_dtype_v2(array, value, out, err);
    if (value == NULL || json_is_null(value)) {
        *out = *now;
        return 0;
    }
    for (size_t i = 0; text != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        const size_t n = strlen(kinds[i].name);

        /* NOLINTNEXTLINE(cert-err34-c): two digits at most */
        if (strncmp(text, kinds[i].name, n) != 0 || sscanf(text + n, "%2u%n", &bits, &used) != 1 ||
            text[n + (size_t)used] != '\0')
            continue;
        if ((bits != 8 && bits != 16 && bits != 32 && bits != 64) ||
            (bits == 8 && kinds[i].kind == DTYPE_FLOAT))
            break;
        *out = (struct dtype){kinds[i].kind, bits / 8, false};
        return 0;
    }
    if (text != NULL && (strlen(text) == 2 || (strlen(text) == 3 && text[0] == '='))) {
        snprintf(short_text, sizeof short_text, "%c%s", text[strlen(text) - 1] == '1' ? '|' : '<',
                 text + strlen(text) - 2);
        AUTO_JSON json_t *whole = json_string(short_text);

        return meta_dtype_v2(array, whole, out, err);
    }
    if (meta_dtype_v2(array, value, out, err) != 0)
        return -1;
    out->big_endian = false;
    return 0;
}

/* Parses a filter's dtype and astype. Its dtype must be that of the array, or the result of the
 * filter before. */
static int parse_dtypes(const char *array, const json_t *config, const struct dtype *now,
                        const struct zarr_meta *meta, struct zarr_filter *filter, struct err *err)
{
    const json_t *dtype = json_object_get(config, "dtype");
    const json_t *astype = json_object_get(config, "astype");

    if (parse_dtype(array, dtype, now, meta, &filter->decoded, err) != 0)
        return -1;
    filter->encoded = filter->decoded;
    if (astype != NULL && !json_is_null(astype) &&
        parse_dtype(array, astype, now, meta, &filter->encoded, err) != 0)
        return -1;
    if (!same_dtype(&filter->decoded, now))
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: a filter for another dtype than that of the array is not supported",
                       array);
    return 0;
}

static int parse_delta(const char *array, const json_t *config, const struct dtype *now,
                       const struct zarr_meta *meta, struct zarr_filter *filter, struct err *err)
{
    filter->id = FILTER_DELTA;
    if (parse_dtypes(array, config, now, meta, filter, err) != 0)
        return -1;
    if (is_whole(&filter->decoded) && is_whole(&filter->encoded))
        return 0;
    if (is_float(&filter->decoded) && same_dtype(&filter->decoded, &filter->encoded))
        return 0;
    return unsupported(array, "delta", err);
}

static int parse_fixed(const char *array, const json_t *config, const struct dtype *now,
                       const struct zarr_meta *meta, struct zarr_filter *filter, struct err *err)
{
    const json_t *scale = json_object_get(config, "scale");
    const json_t *offset = json_object_get(config, "offset");

    filter->id = FILTER_FIXED;
    if (!json_is_number(scale) || !json_is_number(offset) || json_number_value(scale) == 0)
        return err_set(err, ERR_CORRUPT,
                       "%s: filter \"fixedscaleoffset\" has no usable scale and offset", array);
    filter->scale = json_number_value(scale);
    filter->offset = json_number_value(offset);
    if (parse_dtypes(array, config, now, meta, filter, err) != 0)
        return -1;
    if ((is_whole(&filter->decoded) || is_float(&filter->decoded)) &&
        (is_whole(&filter->encoded) || is_float(&filter->encoded)))
        return 0;
    return unsupported(array, "fixedscaleoffset", err);
}

static int parse_packbits(const char *array, const struct dtype *now, struct zarr_filter *filter,
                          struct err *err)
{
    filter->id = FILTER_PACKBITS;
    filter->decoded = *now;
    filter->encoded = (struct dtype){DTYPE_BYTES, 1, false};
    return now->kind == DTYPE_BOOL ? 0 : unsupported(array, "packbits", err);
}

/* The default of elementsize is 4 in numcodecs, and the size of an element in v3 of zarr-python. */
static int parse_shuffle(const char *array, const json_t *config, const struct dtype *now,
                         const struct zarr_meta *meta, struct zarr_filter *filter, struct err *err)
{
    const json_t *unit = json_object_get(config, "elementsize");

    filter->id = FILTER_SHUFFLE;
    filter->encoded = *now;
    filter->unit = meta->format == 3 ? now->size : 4;
    if (unit == NULL || json_is_null(unit))
        return 0;
    if (!json_is_integer(unit) || json_integer_value(unit) < 1 ||
        json_integer_value(unit) > 1 << 16)
        return err_set(err, ERR_CORRUPT, "%s: filter \"shuffle\" has no usable elementsize", array);
    filter->unit = (uint32_t)json_integer_value(unit);
    return 0;
}

int meta_add_filter(const char *array, const char *id, const json_t *config, struct dtype *now,
                    struct zarr_meta *meta, struct err *err)
{
    struct zarr_filter filter = {0};
    int rc;

    /* The bits were lost when the store was written; there is nothing to undo. */
    if (strcmp(id, "bitround") == 0)
        return now->kind == DTYPE_FLOAT ? 0 : unsupported(array, id, err);
    if (strcmp(id, "delta") == 0)
        rc = parse_delta(array, config, now, meta, &filter, err);
    else if (strcmp(id, "fixedscaleoffset") == 0)
        rc = parse_fixed(array, config, now, meta, &filter, err);
    else if (strcmp(id, "packbits") == 0)
        rc = parse_packbits(array, now, &filter, err);
    else if (strcmp(id, "shuffle") == 0)
        rc = parse_shuffle(array, config, now, meta, &filter, err);
    else
        rc = err_set(err, ERR_UNSUPPORTED, "%s: filter \"%.64s\" is not supported", array, id);
    if (rc != 0)
        return -1;
    if (meta->nfilters == ZARR_FILTERS_MAX)
        return err_set(err, ERR_UNSUPPORTED, "%s: more than %d filters", array, ZARR_FILTERS_MAX);
    *now = filter.encoded;
    meta->filters[meta->nfilters++] = filter;
    return 0;
}

int meta_add_shuffle(const char *array, const json_t *config, struct zarr_meta *meta,
                     struct err *err)
{
    struct dtype now = meta->nfilters > 0 ? meta->filters[meta->nfilters - 1].encoded : meta->dtype;

    return meta_add_filter(array, "shuffle", config, &now, meta, err);
}

/* vlen-utf8, by itself? */
static bool makes_strings(const json_t *filters)
{
    const char *id = json_string_value(json_object_get(json_array_get(filters, 0), "id"));

    return json_array_size(filters) == 1 && id != NULL && strcmp(id, "vlen-utf8") == 0;
}

int meta_filters(const char *array, const json_t *filters, struct zarr_meta *meta, struct err *err)
{
    struct dtype now = meta->dtype;

    if (filters != NULL && !json_is_null(filters) && !json_is_array(filters))
        return err_set(err, ERR_CORRUPT, "%s: its filters are not a list", array);
    /* zarr-python 3.0 uses this filter by default, but writes the dtype of the data that it was
     * given, such as "<U5". */
    if (meta->dtype.kind == DTYPE_UCS4 && makes_strings(filters))
        meta->dtype = (struct dtype){DTYPE_STRING, 0, false};
    for (size_t i = 0; i < json_array_size(filters); i++) {
        const json_t *config = json_array_get(filters, i);
        const char *id = json_string_value(json_object_get(config, "id"));

        if (id == NULL)
            return err_set(err, ERR_CORRUPT, "%s: a filter without an id", array);
        if (meta->dtype.kind != DTYPE_STRING &&
            meta_add_filter(array, id, config, &now, meta, err) != 0)
            return -1;
    }
    if (meta->dtype.kind == DTYPE_STRING && !makes_strings(filters))
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: an object array is supported only with the filter vlen-utf8, by itself",
                       array);
    return 0;
}
