/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values: whole chunks as numbers or strings.
 */
#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/decoder_impl.h"
#include "encoderd/zarr/chunk/unfold.h"
#include "encoderd/zarr/meta/floats.h"
#include "encoderd/zarr/meta/utf8.h"
#include "encoderd/zarr/store/damaged.h"

#include <string.h>

/* Strings that are asked for at once: as many bytes as there are to decode in, and these at the
 * least. */
#define STRINGS_NBYTES_MIN ((size_t)16 << 20)
/* Of a whole array: the text, and what says where each string is. Two million sample IDs fit. */
#define ARRAY_NBYTES_MAX ((size_t)64 << 20)
#define STRINGS_MAX      ((uint64_t)64 << 20)

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

/* The block's elements that are among [first, first + n), to out[0 .. n). */
static int ints_of_block(const struct dtype *dtype, const struct block *block, uint64_t first,
                         uint64_t n, int64_t *out, struct err *err)
{
    bool wide = dtype->kind == DTYPE_UINT && dtype->size == 8;
    uint64_t begin = block->begin / dtype->size, end = begin + block->nbytes / dtype->size;

    end = size_min(end, first + n);
    for (uint64_t k = size_max(begin, first); k < end; k++) {
        int64_t value =
            get_int(block->data + (k - begin) * dtype->size, dtype->size, dtype->kind == DTYPE_INT);

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

int zarr_chunk_floats(struct decoder *decoder, const struct zarr_array *array,
                      const uint64_t *index, double *out, uint8_t *kinds, struct err *err)
{
    const struct dtype *dtype = &array->meta.dtype;
    struct chunk *chunk;
    struct block block;
    char name[24];

    if (dtype->kind != DTYPE_FLOAT)
        return zarr_array_fail(array, err, ERR_DATA, "it holds %s and not floats",
                               dtype_name(dtype, name, sizeof name));
    if (decoder_chunk(decoder, array, index, &chunk, err) != 0)
        return -1;
    for (uint64_t i = 0; i < chunk_nblocks(chunk); i++) {
        uint64_t first;

        if (decoder_block(decoder, chunk, i, false, &block, err) != 0)
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
        return err_set(err, ERR_BUDGET, "%llu strings are more than the %llu that are held at once",
                       (unsigned long long)n, (unsigned long long)STRINGS_MAX);
    if (n > out->cap) {
        items = reallocarray(out->items, (size_t)n, sizeof *items);
        if (items == NULL)
            return err_nomem(err, "%llu strings", (unsigned long long)n);
        out->items = items;
        out->cap = (size_t)n;
    }
    out->nitems = (size_t)n;
    return 0;
}

static int bad_string(uint64_t k, const char *what, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "string %llu %s; " DAMAGED, (unsigned long long)k, what);
}

/* What is asked for: see zarr_chunk_strings_at. */
struct request {
    uint64_t first, least;
    size_t budget; /* of text, and as much again of items */
};

/* How many strings of that size each, at the most, and all in all. */
static uint64_t request_count(const struct request *request, uint64_t size, uint64_t total)
{
    return size_min(size_max(request->budget / size, request->least), total - request->first);
}

static int fill_strings(const struct zarr_meta *meta, const struct request *request,
                        struct strings *out, struct err *err)
{
    const char *text = meta->fill_string != NULL ? meta->fill_string : "";
    size_t len = strlen(text);

    out->first = request->first;
    out->absent = true;
    if (reserve_items(out, request_count(request, sizeof(struct str), meta->chunk_elements), err) !=
        0)
        return -1;
    buf_append(&out->bytes, text, len + 1);
    if (out->bytes.failed)
        return err_nomem(err, "a fill value");
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
        return err_set(err, ERR_CORRUPT, "it does not hold the %llu strings of a chunk; " DAMAGED,
                       (unsigned long long)meta->chunk_elements);
    /* Only now that the bytes are there: a count alone must not cost memory. */
    if (n / 4 <= meta->chunk_elements)
        return bad_string(n / 4, "runs past the end of the chunk", err);
    if (reserve_items(out, meta->chunk_elements, err) != 0)
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

/* All of the chunk, where stored and decoded text are up to `max` bytes each. */
static int read_vlen(struct decoder *decoder, const struct chunk *chunk, size_t max,
                     struct strings *out, struct err *err)
{
    CLEANUP(buf_free) struct buf stored = {0};
    uint64_t n = chunk->length;
    uint8_t *to;

    if (n > max)
        return err_set(err, ERR_BUDGET,
                       "%llu bytes of strings are more than the %zu that are held at once: raise "
                       "--memory, or rewrite the store with smaller chunks",
                       (unsigned long long)n, max);
    to = buf_reserve(&stored, (size_t)n);
    if (to == NULL)
        return err_nomem(err, "%llu bytes", (unsigned long long)n);
    if (chunk_read(decoder, chunk, 0, to, (size_t)n, err) != 0 ||
        codecs_decode_buf(&decoder->codecs, &chunk->array->meta, to, (size_t)n, max, &out->bytes,
                          err) != 0)
        return -1;
    decoder->stats.blocks++;
    decoder->stats.bytes_decoded += out->bytes.len;
    return split_vlen(&chunk->array->meta, out, err);
}

/* Items get their addresses at the end, when the bytes no longer move; `gap` lies before each. */
static void point_items(struct strings *out, size_t gap)
{
    const char *at = (const char *)out->bytes.data;

    for (size_t k = 0; k < out->nitems; k++) {
        at += gap;
        out->items[k].at = at;
        at += out->items[k].len;
    }
}

/* A chunk of strings in the temporary file. */
struct spilled {
    const struct spill_entry *entry;
    uint64_t nbytes, total;
};

static int string_offset(const struct spilled *spilled, uint64_t k, uint64_t *out, struct err *err)
{
    *out = spilled->nbytes;
    return k == spilled->total ? 0 : spill_read(spilled->entry, UNFOLD_OFFSETS, k * 8, out, 8, err);
}

static int check_held(const struct decoder *decoder, uint64_t nbytes, struct err *err)
{
    if (nbytes <= strings_nbytes_max(decoder))
        return 0;
    return err_set(err, ERR_BUDGET,
                   "%llu bytes of strings that belong together are more than the %zu that are held "
                   "at once: raise --memory",
                   (unsigned long long)nbytes, strings_nbytes_max(decoder));
}

/* Strings in the order in which they are stored: one piece of the file. */
static int take_in_order(struct decoder *decoder, const struct spilled *spilled,
                         const struct request *request, struct strings *out, struct err *err)
{
    uint64_t low = request->least, high = out->nitems, begin, end = 0;
    uint8_t *to;

    if (string_offset(spilled, request->first, &begin, err) != 0)
        return -1;
    /* The most of them that fit. */
    while (low < high) {
        const uint64_t middle = high - (high - low) / 2;

        if (string_offset(spilled, request->first + middle, &end, err) != 0)
            return -1;
        if (end - begin <= request->budget)
            low = middle;
        else
            high = middle - 1;
    }
    if (string_offset(spilled, request->first + low, &end, err) != 0 ||
        check_held(decoder, end - begin, err) != 0)
        return -1;
    to = buf_reserve(&out->bytes, (size_t)(end - begin));
    if (to == NULL)
        return err_nomem(err, "strings");
    if (spill_read(spilled->entry, UNFOLD_BYTES, begin, to, (size_t)(end - begin), err) != 0)
        return -1;
    out->bytes.len += (size_t)(end - begin);
    out->nitems = (size_t)low;
    for (size_t k = 0, at = 0; k < low; k++, at += 4 + out->items[k - 1].len)
        out->items[k].len = get_le32(to + at);
    point_items(out, 4);
    return 0;
}

/* Strings that lie anywhere. */
static int take_scattered(struct decoder *decoder, const struct spilled *spilled,
                          const struct request *request, struct strings *out, struct err *err)
{
    const size_t most = out->nitems;

    for (out->nitems = 0; out->nitems < most; out->nitems++) {
        uint64_t at;
        uint8_t head[4], *to;
        uint32_t len;

        if (string_offset(spilled, request->first + out->nitems, &at, err) != 0 ||
            spill_read(spilled->entry, UNFOLD_BYTES, at, head, sizeof head, err) != 0)
            return -1;
        len = get_le32(head);
        if (out->nitems >= request->least && out->bytes.len + len > request->budget)
            break;
        if (check_held(decoder, (uint64_t)out->bytes.len + len, err) != 0)
            return -1;
        to = buf_reserve(&out->bytes, len);
        if (to == NULL)
            return err_nomem(err, "strings");
        if (spill_read(spilled->entry, UNFOLD_BYTES, at + 4, to, len, err) != 0)
            return -1;
        out->bytes.len += len;
        out->items[out->nitems].len = len;
    }
    point_items(out, 0);
    return 0;
}

static int spilled_vlen(struct decoder *decoder, struct chunk *chunk, const struct request *request,
                        struct strings *out, struct err *err)
{
    const struct zarr_meta *meta = &chunk->array->meta;
    const uint64_t n = request_count(request, sizeof(struct str), meta->chunk_elements);
    struct spilled spilled = {.total = meta->chunk_elements};
    struct spill_entry *entry;
    int rc;

    decoder_scratch_reset(decoder);
    if (chunk_spilled(decoder, chunk, &entry, err) != 0)
        return -1;
    spilled.entry = entry;
    spilled.nbytes = spill_nbytes(entry, UNFOLD_BYTES);
    out->first = request->first;
    rc = check_held(decoder, request->least * sizeof(struct str), err) != 0
             ? -1
             : reserve_items(out, n, err);
    if (rc == 0)
        rc = meta->fortran ? take_scattered(decoder, &spilled, request, out, err)
                           : take_in_order(decoder, &spilled, request, out, err);
    spill_put(entry);
    decoder->stats.blocks++;
    decoder->stats.bytes_decoded += out->bytes.len;
    return rc;
}

static int vlen_part(struct decoder *decoder, struct chunk *chunk, const struct request *request,
                     struct strings *out, struct err *err)
{
    const bool small = chunk->array->meta.chunk_elements <= request->budget / sizeof(struct str);
    const bool all = request->least == chunk->array->meta.chunk_elements;
    struct err why = {0};

    if (store_spill(chunk->array->store) == NULL)
        return read_vlen(decoder, chunk, strings_nbytes_max(decoder), out, err);
    if ((small || all) && chunk->length <= request->budget) {
        if (read_vlen(decoder, chunk, request->budget, out, &why) == 0)
            return 0;
        if (why.code != ERR_BUDGET) {
            if (err != NULL)
                *err = why;
            return -1;
        }
        buf_reset(&out->bytes);
    }
    return spilled_vlen(decoder, chunk, request, out, err);
}

static int vlen_located(struct decoder *decoder, struct chunk *chunk, const uint64_t *index,
                        const struct request *request, struct strings *out, struct err *err)
{
    CLEANUP(chunk_need_clear) struct chunk_need need = {.may_wait = true};

    if (stored_make(chunk->stored, chunk->array, index, STORED_LOCATED, &need, err) != NEED_THERE)
        return -1;
    decoder->stats.unforeseen += decoder->need != NULL && need.holds != NULL;
    chunk->base = chunk->stored->base;
    chunk->length = chunk->stored->length;
    return chunk->stored->object == NULL ? fill_strings(&chunk->array->meta, request, out, err)
                                         : vlen_part(decoder, chunk, request, out, err);
}

static int vlen_chunk(struct decoder *decoder, const struct zarr_array *array,
                      const uint64_t *index, const struct request *request, struct strings *out,
                      struct err *err)
{
    struct chunk chunk = {.array = array};
    int rc;

    if (decoder_index_check(array, index, err) != 0)
        return -1;
    memcpy(chunk.identity, array->identity, sizeof chunk.identity);
    decoder->spills = store_spill(array->store) != NULL;
    chunk_label(array, index, chunk.label);
    chunk.stored = stored_get(decoder->table, array, index, err);
    if (chunk.stored == NULL || decoder_begin(decoder, array, chunk.label, err) != 0)
        rc = -1;
    else
        rc = vlen_located(decoder, &chunk, index, request, out, err);
    stored_put(chunk.stored);
    return rc != 0 ? decoder_name_chunk(array, chunk.label, err) : 0;
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
    uint64_t begin = block->begin / dtype->size, end = begin + block->nbytes / dtype->size;

    end = size_min(end, out->first + out->nitems);
    for (uint64_t k = size_max(begin, out->first); k < end; k++) {
        const uint8_t *at = block->data + (k - begin) * dtype->size;
        struct str *item = &out->items[k - out->first];
        int rc = dtype->kind == DTYPE_UCS4 ? put_ucs4(at, dtype->size, &out->bytes, item)
                                           : put_bytes(at, dtype->size, &out->bytes, item);

        if (rc != 0)
            return bad_string(k, "is not Unicode", err);
    }
    return 0;
}

static int fixed_chunk(struct decoder *decoder, const struct zarr_array *array,
                       const uint64_t *index, const struct request *request, struct strings *out,
                       struct err *err)
{
    const uint64_t size = array->meta.dtype.size, total = array->meta.chunk_elements;
    const uint64_t n = request_count(request, size + sizeof(struct str), total);
    struct chunk *chunk;
    struct block block;
    uint64_t last;

    if (decoder_chunk(decoder, array, index, &chunk, err) != 0)
        return -1;
    if (chunk_is_absent(chunk))
        return fill_strings(&array->meta, request, out, err) != 0
                   ? decoder_name_chunk(array, chunk->label, err)
                   : 0;
    out->first = request->first;
    if (check_held(decoder, request->least * size, err) != 0 || reserve_items(out, n, err) != 0)
        return decoder_name_chunk(array, chunk->label, err);
    if (buf_reserve(&out->bytes, (size_t)(n * size)) == NULL) {
        err_nomem(err, "strings");
        return decoder_name_chunk(array, chunk->label, err);
    }
    last = ((request->first + n) * size - 1) / chunk_block_size(chunk);
    for (uint64_t i = request->first * size / chunk_block_size(chunk); i <= last; i++) {
        if (decoder_block(decoder, chunk, i, false, &block, err) != 0)
            return -1;
        if (fixed_block(&array->meta.dtype, &block, out, err) != 0)
            return decoder_name_chunk(array, chunk->label, err);
    }
    return 0;
}

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
    const struct request request = {first, least, budget / 2};
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
        return vlen_chunk(decoder, array, index, &request, out, err);
    case DTYPE_BYTES:
    case DTYPE_UCS4:
        return fixed_chunk(decoder, array, index, &request, out, err);
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

/* The strings of chunk c that are the array's, appended to `out`. */
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
    if (reserve_items(out, meta->shape[0], err) != 0)
        return err_name(err, "%s (%s)", array->name, store_path(array->store));
    for (uint64_t c = 0; c < meta->nchunks[0]; c++)
        if (append_chunk(decoder, array, c, &part, out, err) != 0)
            return -1;
    out->first = 0;
    point_items(out, 0);
    return 0;
}
