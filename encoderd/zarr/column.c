/*
 * column: whole chunks as numbers or strings.
 */
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/bytes.h"
#include "encoderd/zarr/decoder_impl.h"
#include "encoderd/zarr/floats.h"
#include "encoderd/zarr/utf8.h"

#include <string.h>

/* A chunk of strings is held whole: as many bytes as there are to decode in, and these at the least. */
#define STRINGS_NBYTES_MIN ((size_t)16 << 20)
/* Of a whole array. */
#define STRINGS_NBYTES_MAX ((size_t)1 << 30)
#define STRINGS_MAX        ((uint64_t)64 << 20)

static size_t strings_nbytes_max(const struct decoder *decoder)
{
    return size_max(decoder->scratch_max, STRINGS_NBYTES_MIN);
}

static int64_t get_int(const uint8_t *at, uint32_t size, bool is_signed)
{
    uint64_t value = 0;

    switch (size) {
    case 1:
        return is_signed ? (int8_t)*at : *at;
    case 2: {
        uint16_t v;

        memcpy(&v, at, 2);
        return is_signed ? (int16_t)v : v;
    }
    case 4: {
        uint32_t v;

        memcpy(&v, at, 4);
        return is_signed ? (int32_t)v : (int64_t)v;
    }
    default:
        memcpy(&value, at, 8);
        return (int64_t)value;
    }
}

static int ints_of_block(const struct dtype *dtype, const struct block *block, int64_t *out,
                         struct err *err)
{
    bool wide = dtype->kind == DTYPE_UINT && dtype->size == 8;
    size_t n = block->nbytes / dtype->size;

    out += block->begin / dtype->size;
    for (size_t k = 0; k < n; k++) {
        out[k] = get_int(block->data + k * dtype->size, dtype->size, dtype->kind == DTYPE_INT);
        if ((dtype->kind == DTYPE_BOOL && out[k] > 1) || (wide && out[k] < 0))
            return err_set(err, ERR_CORRUPT, "element %llu has no place in its type",
                           (unsigned long long)(block->begin / dtype->size + k));
    }
    return 0;
}

int zarr_chunk_ints(struct decoder *decoder, const struct zarr_array *array, const uint64_t *index,
                    int64_t *out, struct err *err)
{
    const struct dtype *dtype = &array->meta.dtype;
    struct chunk *chunk;
    struct block block;
    char name[24];

    if (dtype->kind != DTYPE_BOOL && dtype->kind != DTYPE_INT && dtype->kind != DTYPE_UINT)
        return err_set(err, ERR_DATA, "%s (%s): it holds %s and not whole numbers", array->name,
                       store_path(array->store), dtype_name(dtype, name, sizeof name));
    if (decoder_chunk(decoder, array, index, &chunk, err) < 0)
        return -1;
    for (uint64_t i = 0; i < chunk_nblocks(chunk); i++) {
        if (decoder_block(decoder, chunk, i, false, &block, err) < 0)
            return -1;
        if (ints_of_block(dtype, &block, out, err) < 0)
            return decoder_name_chunk(array, chunk->label, err);
    }
    return 0;
}

int zarr_chunk_floats(struct decoder *decoder, const struct zarr_array *array,
                      const uint64_t *index, double *out, uint8_t *kinds, struct err *err)
{
    const struct dtype *dtype = &array->meta.dtype;
    struct chunk *chunk;
    struct block block;
    char name[24];

    if (dtype->kind != DTYPE_FLOAT)
        return err_set(err, ERR_DATA, "%s (%s): it holds %s and not floats", array->name,
                       store_path(array->store), dtype_name(dtype, name, sizeof name));
    if (decoder_chunk(decoder, array, index, &chunk, err) < 0)
        return -1;
    for (uint64_t i = 0; i < chunk_nblocks(chunk); i++) {
        uint64_t first;

        if (decoder_block(decoder, chunk, i, false, &block, err) < 0)
            return -1;
        first = block.begin / dtype->size;
        zarr_floats(dtype, block.data, block.nbytes / dtype->size, out + first,
                    kinds != NULL ? kinds + first : NULL);
    }
    return 0;
}

void strings_free(struct strings *strings)
{
    free(strings->items);
    buf_free(&strings->bytes);
    *strings = (struct strings){0};
}

static int reserve_items(struct strings *out, uint64_t n, struct err *err)
{
    struct str *items;

    if (n > STRINGS_MAX)
        return err_set(err, ERR_MEMORY, "%llu strings are more than the %llu that are held at once",
                       (unsigned long long)n, (unsigned long long)STRINGS_MAX);
    if (n > out->cap) {
        items = reallocarray(out->items, (size_t)n, sizeof *items);
        if (items == NULL)
            return err_set(err, ERR_MEMORY, "out of memory for %llu strings",
                           (unsigned long long)n);
        out->items = items;
        out->cap = (size_t)n;
    }
    out->nitems = (size_t)n;
    return 0;
}

static int bad_string(uint64_t k, const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT,
                   "string %llu %s; the file is damaged; restore it or rewrite the store",
                   (unsigned long long)k, what);
}

static int fill_strings(const struct zarr_meta *meta, struct strings *out, struct err *err)
{
    const char *text = meta->fill_string != NULL ? meta->fill_string : "";
    size_t len = strlen(text);

    if (reserve_items(out, meta->chunk_elements, err) < 0)
        return -1;
    buf_append(&out->bytes, text, len + 1);
    if (out->bytes.failed)
        return err_set(err, ERR_MEMORY, "out of memory");
    if (!utf8_valid((const uint8_t *)text, len))
        return err_set(err, ERR_CORRUPT, "its fill_value is not UTF-8");
    for (size_t k = 0; k < out->nitems; k++)
        out->items[k] = (struct str){(const char *)out->bytes.data, len};
    return 0;
}

/* uint32 count, then count × (uint32 length, bytes). */
static int split_vlen(const struct zarr_meta *meta, struct strings *out, struct err *err)
{
    const uint8_t *data = out->bytes.data;
    size_t at = 4, n = out->bytes.len;
    struct fortran_walk walk;

    if (n < 4 || get_le32(data) != meta->chunk_elements)
        return err_set(err, ERR_CORRUPT,
                       "it does not hold the %llu strings of a chunk; the file is damaged; restore "
                       "it or rewrite the store",
                       (unsigned long long)meta->chunk_elements);
    /* Only now that the bytes are there: a count alone must not cost memory. */
    if (n / 4 <= meta->chunk_elements)
        return bad_string(n / 4, "runs past the end of the chunk", err);
    if (reserve_items(out, meta->chunk_elements, err) < 0)
        return -1;
    fortran_begin(&walk, meta);
    for (uint64_t k = 0; k < meta->chunk_elements; k++, fortran_next(&walk)) {
        uint32_t len = n - at >= 4 ? get_le32(data + at) : 0;

        if (n - at < 4 || len > n - at - 4)
            return bad_string(k, "runs past the end of the chunk", err);
        if (!utf8_valid(data + at + 4, len))
            return bad_string(k, "is not UTF-8", err);
        out->items[meta->fortran ? walk.at : k] = (struct str){(const char *)data + at + 4, len};
        at += 4 + (size_t)len;
    }
    return at == n ? 0 : bad_string(meta->chunk_elements, "is one too many", err);
}

static int read_vlen(struct decoder *decoder, const struct zarr_array *array,
                     const struct extent *extent, struct strings *out, struct err *err)
{
    CLEANUP(buf_free) struct buf stored = {0};
    size_t max = strings_nbytes_max(decoder);
    uint64_t n = extent->length;
    uint8_t *to;

    if (n > max)
        return err_set(err, ERR_MEMORY,
                       "%llu bytes of strings are more than the %zu that are held at once: raise "
                       "--memory, or rewrite the store with smaller chunks",
                       (unsigned long long)n, max);
    to = buf_reserve(&stored, (size_t)n);
    if (to == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for %llu bytes", (unsigned long long)n);
    if (object_read(extent->object, extent->base, to, (size_t)n, err) < 0 ||
        codecs_decode_buf(&decoder->codecs, &array->meta, to, (size_t)n, max, &out->bytes, err) < 0)
        return -1;
    decoder->stats.bytes_read += n;
    decoder->stats.blocks++;
    decoder->stats.bytes_decoded += out->bytes.len;
    return split_vlen(&array->meta, out, err);
}

static int vlen_chunk(struct decoder *decoder, const struct zarr_array *array,
                      const uint64_t *index, struct strings *out, struct err *err)
{
    char label[EXTENT_LABEL_MAX];
    struct extent extent;
    int rc;

    if (decoder_index_check(array, index, err) < 0)
        return -1;
    if (extent_open(&decoder->shards, array, index, label, &extent, err) < 0)
        return decoder_name_chunk(array, label, err);
    rc = extent.object == NULL ? fill_strings(&array->meta, out, err)
                               : read_vlen(decoder, array, &extent, out, err);
    extent_close(&extent);
    return rc < 0 ? decoder_name_chunk(array, label, err) : 0;
}

static size_t trimmed(const uint8_t *at, size_t n)
{
    while (n > 0 && at[n - 1] == 0)
        n--;
    return n;
}

/* UTF-8 never takes more bytes than UTF-32, so a block's text fits in what the caller reserved. */
static int put_ucs4(const uint8_t *at, size_t size, struct buf *to, struct str *out)
{
    const uint8_t *begin = to->data + to->len;

    for (size_t i = 0; i < size; i += 4) {
        uint32_t character;
        size_t len;

        memcpy(&character, at + i, 4);
        len = utf8_put(character, to->data + to->len);
        if (len == 0)
            return -1;
        to->len += len;
    }
    to->len = (size_t)(begin - to->data) + trimmed(begin, (size_t)(to->data + to->len - begin));
    *out = (struct str){(const char *)begin, (size_t)(to->data + to->len - begin)};
    return 0;
}

static int put_bytes(const uint8_t *at, size_t size, struct buf *to, struct str *out)
{
    size_t n = trimmed(at, size);

    if (!utf8_valid(at, n))
        return -1;
    memcpy(to->data + to->len, at, n);
    *out = (struct str){(const char *)to->data + to->len, n};
    to->len += n;
    return 0;
}

static int fixed_block(const struct dtype *dtype, const struct block *block, struct strings *out,
                       struct err *err)
{
    uint64_t first = block->begin / dtype->size;

    for (size_t k = 0; k < block->nbytes / dtype->size; k++) {
        const uint8_t *at = block->data + k * dtype->size;
        struct str *item = &out->items[first + k];
        int rc = dtype->kind == DTYPE_UCS4 ? put_ucs4(at, dtype->size, &out->bytes, item)
                                           : put_bytes(at, dtype->size, &out->bytes, item);

        if (rc < 0)
            return bad_string(first + k, "is not Unicode", err);
    }
    return 0;
}

static int fixed_chunk(struct decoder *decoder, const struct zarr_array *array,
                       const uint64_t *index, struct strings *out, struct err *err)
{
    const char *path = store_path(array->store);
    struct chunk *chunk;
    struct block block;

    if (decoder_chunk(decoder, array, index, &chunk, err) < 0)
        return -1;
    if (chunk_is_absent(chunk))
        return fill_strings(&array->meta, out, err) < 0
                   ? decoder_name_chunk(array, chunk->label, err)
                   : 0;
    if (reserve_items(out, array->meta.chunk_elements, err) < 0)
        return decoder_name_chunk(array, chunk->label, err);
    if (chunk->nbytes > strings_nbytes_max(decoder) ||
        buf_reserve(&out->bytes, (size_t)chunk->nbytes) == NULL)
        return err_set(err, ERR_MEMORY,
                       "%s (%s): no memory for %llu bytes of strings: raise --memory", chunk->label,
                       path, (unsigned long long)chunk->nbytes);
    for (uint64_t i = 0; i < chunk_nblocks(chunk); i++) {
        if (decoder_block(decoder, chunk, i, false, &block, err) < 0)
            return -1;
        if (fixed_block(&array->meta.dtype, &block, out, err) < 0)
            return decoder_name_chunk(array, chunk->label, err);
    }
    return 0;
}

int zarr_chunk_strings(struct decoder *decoder, const struct zarr_array *array,
                       const uint64_t *index, struct strings *out, struct err *err)
{
    const struct dtype *dtype = &array->meta.dtype;
    char name[24];

    buf_reset(&out->bytes);
    out->nitems = 0;
    switch (dtype->kind) {
    case DTYPE_STRING:
        return vlen_chunk(decoder, array, index, out, err);
    case DTYPE_BYTES:
    case DTYPE_UCS4:
        return fixed_chunk(decoder, array, index, out, err);
    case DTYPE_BOOL:
    case DTYPE_INT:
    case DTYPE_UINT:
    case DTYPE_FLOAT:
        break;
    }
    return err_set(err, ERR_DATA, "%s (%s): it holds %s and not strings", array->name,
                   store_path(array->store), dtype_name(dtype, name, sizeof name));
}

/* Items get their addresses at the end, when the bytes no longer move. */
static void point_items(struct strings *out)
{
    const char *at = (const char *)out->bytes.data;

    for (size_t k = 0; k < out->nitems; k++) {
        out->items[k].at = at;
        at += out->items[k].len;
    }
}

int zarr_array_strings(struct decoder *decoder, const struct zarr_array *array, struct strings *out,
                       struct err *err)
{
    CLEANUP(strings_free) struct strings part = {0};
    const struct zarr_meta *meta = &array->meta;
    const char *path = store_path(array->store);

    if (meta->ndim != 1)
        return err_set(err, ERR_DATA, "%s (%s): it has %u dimensions and not one", array->name,
                       path, meta->ndim);
    buf_reset(&out->bytes);
    if (reserve_items(out, meta->shape[0], err) < 0)
        return err_prefix(err, "%s (%s)", array->name, path);
    for (uint64_t c = 0; c < meta->nchunks[0]; c++) {
        uint64_t begin = c * meta->chunk[0];
        uint64_t n = size_min(meta->chunk[0], meta->shape[0] - begin);

        if (zarr_chunk_strings(decoder, array, &c, &part, err) < 0)
            return -1;
        for (uint64_t k = 0; k < n; k++) {
            buf_append(&out->bytes, part.items[k].at, part.items[k].len);
            out->items[begin + k].len = part.items[k].len;
        }
        if (out->bytes.failed || out->bytes.len > STRINGS_NBYTES_MAX)
            return err_set(err, ERR_MEMORY, "%s (%s): out of memory for its strings", array->name,
                           path);
    }
    point_items(out);
    return 0;
}
