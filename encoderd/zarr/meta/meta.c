/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/meta/meta.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/meta/json_text.h"
#include "encoderd/zarr/meta/meta_impl.h"

#include <stdio.h>
#include <string.h>

char *dtype_name(const struct dtype *dtype, char *buf, size_t buf_size)
{
    switch (dtype->kind) {
    case DTYPE_BOOL:
        snprintf(buf, buf_size, "bool");
        break;
    case DTYPE_INT:
        snprintf(buf, buf_size, "int%u", dtype->size * 8);
        break;
    case DTYPE_UINT:
        snprintf(buf, buf_size, "uint%u", dtype->size * 8);
        break;
    case DTYPE_FLOAT:
        snprintf(buf, buf_size, "float%u", dtype->size * 8);
        break;
    case DTYPE_STRING:
        snprintf(buf, buf_size, "string");
        break;
    case DTYPE_BYTES:
        snprintf(buf, buf_size, "S%u", dtype->size);
        break;
    case DTYPE_UCS4:
        snprintf(buf, buf_size, "U%u", dtype->size / 4);
        break;
    }
    return buf;
}

void zarr_meta_clear(struct zarr_meta *meta)
{
    free(meta->fill_string);
    *meta = (struct zarr_meta){0};
}

/* Parses the document, whose top must be an object; the caller owns it. NULL with an error if it is
 * not. */
static json_t *load(const char *array, const char *json, size_t len, struct err *err)
{
    json_error_t at;
    json_t *top = json_text_load(json, len, JSON_REJECT_DUPLICATES, &at);

    if (top == NULL) {
        err_set(err, ERR_CORRUPT, "%s: metadata is not JSON: line %d: %s", array, at.line, at.text);
        return NULL;
    }
    if (!json_is_object(top)) {
        json_decref(top);
        err_set(err, ERR_CORRUPT, "%s: metadata is not a JSON object", array);
        return NULL;
    }
    return top;
}

int meta_parse(const char *array, const char *json, size_t len, unsigned format,
               meta_reader *reader, struct zarr_meta *out, struct err *err)
{
    AUTO_JSON json_t *top = load(array, json, len, err);

    *out = (struct zarr_meta){.format = format};
    if (top == NULL || reader(array, top, out, err) != 0) {
        zarr_meta_clear(out);
        return -1;
    }
    return 0;
}

int meta_lengths(const char *array, const char *what, const json_t *list, uint64_t min,
                 unsigned *count, uint64_t out[ZARR_DIMS_MAX], struct err *err)
{
    size_t n = json_array_size(list);

    if (!json_is_array(list))
        return err_set(err, ERR_CORRUPT, "%s: %s is missing or not a list", array, what);
    if (n > ZARR_DIMS_MAX)
        return err_set(err, ERR_UNSUPPORTED, "%s: %zu dimensions; vczfs reads arrays of up to %d",
                       array, n, ZARR_DIMS_MAX);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        json_int_t value = json_integer_value(item);

        if (!json_is_integer(item) || value < 0 || (uint64_t)value < min)
            return err_set(err, ERR_CORRUPT, "%s: %s[%zu] is not a whole number of at least %llu",
                           array, what, i, (unsigned long long)min);
        out[i] = (uint64_t)value;
    }
    *count = (unsigned)n;
    return 0;
}

/* A chunk length of 0 is read as 1, because zarr-python wrote 0 for an axis of length 0. If the
 * array has elements, 0 is an error. */
int meta_chunks(const char *array, const char *what, const json_t *list, struct zarr_meta *meta,
                struct err *err)
{
    unsigned ndim;

    if (meta_lengths(array, what, list, 0, &ndim, meta->chunk, err) != 0)
        return -1;
    if (ndim != meta->ndim)
        return err_set(err, ERR_CORRUPT, "%s: shape has %u dimensions and %s %u", array, meta->ndim,
                       what, ndim);
    for (unsigned d = 0; d < ndim; d++) {
        if (meta->chunk[d] == 0 && meta->shape[d] > 0)
            return err_set(err, ERR_CORRUPT, "%s: %s[%u] is not a whole number of at least 1",
                           array, what, d);
        if (meta->chunk[d] == 0)
            meta->chunk[d] = 1;
    }
    return 0;
}

int meta_separator(const char *array, const json_t *value, char otherwise, char *out,
                   struct err *err)
{
    const char *text = json_string_value(value);

    *out = otherwise;
    /* zarr-python treats null like an absent member. */
    if (value == NULL || json_is_null(value))
        return 0;
    if (text == NULL || (strcmp(text, ".") != 0 && strcmp(text, "/") != 0))
        return err_set(err, ERR_CORRUPT,
                       "%s: the separator of chunk keys is neither \".\" nor \"/\"", array);
    *out = text[0];
    return 0;
}

static const struct {
    const char *name;
    enum codec_id id;
} codec_names[] = {
    {"blosc", CODEC_BLOSC}, {"zstd", CODEC_ZSTD}, {"gzip", CODEC_GZIP},
    {"zlib", CODEC_ZLIB},   {"lz4", CODEC_LZ4},   {"crc32c", CODEC_CRC32C},
};

static bool find_codec(const char *name, enum codec_id *id)
{
    for (size_t i = 0; i < sizeof codec_names / sizeof codec_names[0]; i++)
        if (strcmp(codec_names[i].name, name) == 0) {
            *id = codec_names[i].id;
            return true;
        }
    return false;
}

/* The name of the shuffle, which v2 writes as a number and v3 as a name. -1 means that it depends
 * on the size of the elements. */
static const char *shuffle_name(const json_t *shuffle, const struct zarr_meta *meta)
{
    static const char *const names[] = {"noshuffle", "shuffle", "bitshuffle"};
    json_int_t number = json_integer_value(shuffle);

    if (json_is_string(shuffle))
        return json_string_value(shuffle);
    if (number == -1)
        return meta->dtype.size == 1 ? names[2] : names[1];
    return json_is_integer(shuffle) && number >= 0 && number <= 2 ? names[number] : "shuffle";
}

static void describe_codec(const char *name, const json_t *config, struct zarr_meta *meta)
{
    size_t used = strlen(meta->codec_text);
    char *to = meta->codec_text + used;
    size_t room = sizeof meta->codec_text - used;
    const char *cname = json_string_value(json_object_get(config, "cname"));
    const char *plus = used > 0 ? " + " : "";

    if (strcmp(name, "blosc") == 0)
        snprintf(to, room, "%sblosc(%.16s, %.16s)", plus, cname != NULL ? cname : "lz4",
                 shuffle_name(json_object_get(config, "shuffle"), meta));
    else
        snprintf(to, room, "%s%.16s", plus, name);
}

int meta_add_codec(const char *array, const char *name, const json_t *config,
                   struct zarr_meta *meta, struct err *err)
{
    enum codec_id id;

    if (!find_codec(name, &id))
        return err_set(err, ERR_UNSUPPORTED, "%s: codec \"%.64s\" is not supported", array, name);
    if (meta->ncodecs == ZARR_CODECS_MAX)
        return err_set(err, ERR_UNSUPPORTED, "%s: more than %d codecs", array, ZARR_CODECS_MAX);
    describe_codec(name, config, meta);
    meta->codecs[meta->ncodecs++] = id;
    return 0;
}

int meta_transpose(const char *array, const uint64_t *order, unsigned n, struct zarr_meta *meta,
                   struct err *err)
{
    uint8_t before[ZARR_DIMS_MAX];
    unsigned seen = 0;

    if (n != meta->ndim)
        return err_set(err, ERR_CORRUPT, "%s: the order of transpose has %u axes and the array %u",
                       array, n, meta->ndim);
    memcpy(before, meta->axes, sizeof before);
    for (unsigned d = 0; d < n; d++) {
        if (order[d] >= n || (seen >> order[d] & 1) != 0)
            return err_set(err, ERR_CORRUPT, "%s: the order of transpose is not one of its axes",
                           array);
        seen |= 1u << order[d];
        meta->axes[d] = before[order[d]];
    }
    return 0;
}

/* Is the order of the elements the same as C order? Axes of length 1 do not matter. */
static bool in_c_order(const struct zarr_meta *meta)
{
    unsigned last = 0;

    for (unsigned d = 0; d < meta->ndim; d++) {
        if (meta->chunk[meta->axes[d]] == 1)
            continue;
        if (meta->axes[d] < last)
            return false;
        last = meta->axes[d];
    }
    return true;
}

static void settle_axes(struct zarr_meta *meta)
{
    meta->fortran = !in_c_order(meta);
    for (unsigned d = 0; d < meta->ndim && !meta->fortran; d++)
        meta->axes[d] = (uint8_t)d;
}

static uint64_t filtered_nbytes(const struct zarr_meta *meta)
{
    uint64_t nbytes = meta->chunk_elements * meta->dtype.size;

    for (size_t i = 0; i < meta->nfilters; i++) {
        const struct zarr_filter *filter = &meta->filters[i];

        if (filter->id == FILTER_PACKBITS)
            nbytes = 1 + size_div_up(meta->chunk_elements, 8);
        else if (filter->id != FILTER_SHUFFLE)
            nbytes = meta->chunk_elements * filter->encoded.size;
    }
    return nbytes;
}

/* How many chunks an object has along axis d, but not more than it has elements there. */
static uint64_t chunks_in_object(const struct zarr_meta *meta, unsigned d)
{
    uint64_t n = 1;

    for (unsigned k = 0; k < meta->sharding.nlevels; k++)
        n *= meta->sharding.levels[k].chunks[d];
    return n;
}

int meta_finish(const char *array, struct zarr_meta *meta, struct err *err)
{
    uint64_t elements = 1, shape = 1, chunks = 1, nbytes;
    bool ok = true;

    for (unsigned d = 0; d < meta->ndim; d++) {
        meta->nchunks[d] = size_div_up(meta->shape[d], meta->chunk[d]);
        meta->sharding.chunks[d] = chunks_in_object(meta, d);
        ok = ok && size_mul(elements, meta->chunk[d], &elements);
        /* An axis of length 0 must not hide an overflow of the other axes. */
        ok = ok && size_mul(shape, size_max(meta->shape[d], 1), &shape);
        ok = ok && size_mul(chunks, size_max(meta->nchunks[d], 1), &chunks);
    }
    /* Each element counts for at least eight bytes, because a filter may have stored wider elements
     * than the array's. */
    ok = ok && size_mul(elements, size_max(meta->dtype.size, 8), &nbytes) && nbytes <= INT64_MAX;
    ok = ok && size_mul(shape, size_max(meta->dtype.size, 1), &nbytes) && nbytes <= INT64_MAX;
    if (!ok)
        return err_set(err, ERR_CORRUPT, "%s: its shape or chunk shape is impossibly large", array);
    meta->chunk_elements = elements;
    meta->filtered_nbytes = filtered_nbytes(meta);
    settle_axes(meta);
    if (meta->ncodecs == 0)
        snprintf(meta->codec_text, sizeof meta->codec_text, "none");
    return 0;
}
