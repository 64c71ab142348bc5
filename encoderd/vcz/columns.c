/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/columns.h"

#include "common/size.h"
#include "encoderd/vcz/axes.h"
#include "encoderd/zarr/meta/floats.h"

#include <inttypes.h>
#include <stdlib.h>

/* The most values per variant and sample that vczfs can read. */
#define WIDTH_MAX 65536

/* Chunks with more variants than this are divided among threads, if their blocks can be decoded one
 * by one. */
#define STRIDE_MAX UINT64_C(262144)

/* The most bytes of numbers that are held as stored, if more than one variant fits. */
#define SLAB_NBYTES_MAX ((size_t)8 << 20)

/* Consecutive columns of the stored axis whose values go to consecutive places. */
struct run {
    uint64_t column, place, n;
};

struct column {
    const struct zarr_array *array; /* borrowed */
    struct decoder *decoder;        /* borrowed */
    /* Every array is (variants, a, b): axes that it lacks have length 1. */
    uint64_t a, b, chunk_rows, chunk_a, chunk_b;
    struct run *runs; /* owned; ascending columns */
    size_t nruns;
    uint64_t row_values; /* wanted per variant */
    size_t size;         /* bytes of a number; 0 for strings */
    uint64_t limit;
    column_judge *judge; /* NULL: none */
    void *judge_arg;
    /* Numbers: variants [begin, end) as stored; only wanted elements, in the wanted order. */
    uint8_t *slab;
    uint64_t slab_rows, begin, end;
    /* Strings: nchunks_a × nchunks_b, one for each chunk of a row of chunks; only wanted chunks are
     * filled. */
    struct strings *strings;
    size_t strings_budget; /* of each */
    size_t nchunks_a, nchunks_b;
    bool loaded;
    uint64_t chunk;
};

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

struct wanted {
    uint64_t column, place;
};

static int compare_wanted(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;

    return (x->column > y->column) - (x->column < y->column);
}

static int make_runs(struct column *column, const uint64_t *samples, uint64_t nsamples,
                     struct err *err)
{
    struct wanted *wanted = calloc(nsamples + 1, sizeof *wanted);

    column->runs = calloc(nsamples + 1, sizeof *column->runs);
    if (wanted == NULL || column->runs == NULL) {
        free(wanted);
        return err_nomem(err, "%" PRIu64 " samples", nsamples);
    }
    for (uint64_t i = 0; i < nsamples; i++)
        wanted[i] = (struct wanted){.column = samples[i], .place = i};
    qsort(wanted, nsamples, sizeof *wanted, compare_wanted);
    for (uint64_t i = 0; i < nsamples; i++) {
        struct run *last = column->nruns > 0 ? &column->runs[column->nruns - 1] : NULL;

        if (last != NULL && wanted[i].column == last->column + last->n &&
            wanted[i].place == last->place + last->n)
            last->n++;
        else
            column->runs[column->nruns++] =
                (struct run){.column = wanted[i].column, .place = wanted[i].place, .n = 1};
    }
    free(wanted);
    return 0;
}

static void set_axes(struct column *column)
{
    const struct zarr_meta *meta = &column->array->meta;

    column->a = meta->ndim > 1 ? meta->shape[1] : 1;
    column->b = meta->ndim > 2 ? meta->shape[2] : 1;
    column->chunk_rows = meta->chunk[0];
    column->chunk_a = meta->ndim > 1 ? meta->chunk[1] : 1;
    column->chunk_b = meta->ndim > 2 ? meta->chunk[2] : 1;
    column->nchunks_a = (size_t)size_div_up(column->a, column->chunk_a);
    column->nchunks_b = (size_t)size_div_up(column->b, column->chunk_b);
    column->size = column_array_is_string(column->array) ? 0 : meta->dtype.size;
}

/* Finds the runs that overlap chunk `chunk_a` of the second axis; false if there are none. */
static bool find_runs(const struct column *column, uint64_t chunk_a, size_t *begin, size_t *end)
{
    const uint64_t first = chunk_a * column->chunk_a, last = first + column->chunk_a;
    size_t low = 0, high = column->nruns;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (column->runs[middle].column + column->runs[middle].n <= first)
            low = middle + 1;
        else
            high = middle;
    }
    *begin = low;
    while (low < column->nruns && column->runs[low].column < last)
        low++;
    *end = low;
    return *begin < *end;
}

/* The number of chunks that hold wanted values of one variant. */
static size_t wanted_chunks(const struct column *column)
{
    size_t n = 0, begin, end;

    for (uint64_t a = 0; a < column->nchunks_a; a++)
        n += find_runs(column, a, &begin, &end) ? column->nchunks_b : 0;
    return n;
}

/* A column gets a fourth of the budget, because a selection may use several columns of strings. */
static int strings_init(struct column *column, size_t budget, struct err *err)
{
    const size_t n = column->nchunks_a * column->nchunks_b;

    column->strings_budget = budget / 4 / (wanted_chunks(column) + 1);
    column->strings = calloc(n + 1, sizeof *column->strings);
    if (column->strings == NULL)
        return err_nomem(err, "array %s", column->array->name);
    return 0;
}

static int slab_init(struct column *column, size_t budget, struct err *err)
{
    uint64_t row = column->row_values * column->size;

    column->slab_rows =
        row > 0 ? size_max(1, size_min(budget, SLAB_NBYTES_MAX) / row) : column->chunk_rows;
    column->slab_rows = size_min(column->slab_rows, column->chunk_rows);
    column->slab = calloc(column->slab_rows, row > 0 ? row : 1);
    if (column->slab == NULL)
        return err_nomem(err, "array %s", column->array->name);
    return 0;
}

struct column *column_new(const struct zarr_array *array, const uint64_t *samples,
                          uint64_t nsamples, struct decoder *decoder, size_t budget,
                          struct err *err)
{
    struct column *column = calloc(1, sizeof *column);
    int rc;

    if (column == NULL) {
        err_nomem(err, "array %s", array->name);
        return NULL;
    }
    column->array = array;
    column->decoder = decoder;
    column->limit = UINT64_MAX;
    set_axes(column);
    if (samples != NULL) {
        rc = make_runs(column, samples, nsamples, err);
    } else {
        column->runs = calloc(1, sizeof *column->runs);
        rc = column->runs != NULL ? 0 : err_nomem(err, "the samples of a chunk");
        if (rc == 0)
            column->runs[column->nruns++] = (struct run){.n = column->a};
    }
    column->row_values = (samples != NULL ? nsamples : column->a) * column->b;
    if (rc == 0)
        rc = column->size > 0 ? slab_init(column, budget, err) : strings_init(column, budget, err);
    if (rc == 0)
        return column;
    column_free(column);
    return NULL;
}

void column_free(struct column *column)
{
    if (column == NULL)
        return;
    for (size_t i = 0; column->strings != NULL && i < column->nchunks_a * column->nchunks_b; i++)
        strings_free(&column->strings[i]);
    free(column->strings);
    free(column->runs);
    free(column->slab);
    free(column);
}

void column_on_absent(struct column *column, column_judge *judge, void *arg)
{
    column->judge = judge;
    column->judge_arg = arg;
}

void column_limit(struct column *column, uint64_t end)
{
    column->limit = end;
}

uint64_t column_chunk_end(const struct column *column, uint64_t variant)
{
    return variant - variant % column->chunk_rows + column->chunk_rows;
}

/* The part of a run inside columns [begin, end). */
static bool clip_run(const struct run *run, uint64_t begin, uint64_t end, struct run *out)
{
    uint64_t first = size_max(run->column, begin), last = size_min(run->column + run->n, end);

    if (first >= last)
        return false;
    *out = (struct run){
        .column = first, .place = run->place + (first - run->column), .n = last - first};
    return true;
}

/* One of the chunks in a row of chunks. */
struct part {
    uint64_t a, b;               /* chunk numbers */
    uint64_t row;                /* the slab's first row, counted in the chunk */
    size_t runs_begin, runs_end; /* the runs that overlap it */
};

/* Copies those elements [begin, end) of the chunk, which are in `data`, that belong to one run of
 * one row. */
static void copy_run(struct column *column, const struct part *part, const struct run *run,
                     uint64_t row, const uint8_t *data, uint64_t begin, uint64_t end)
{
    const size_t size = column->size;
    const uint64_t first_b = part->b * column->chunk_b;
    const uint64_t nb = size_min(column->chunk_b, column->b - first_b);
    const uint64_t row_element = row * column->chunk_a * column->chunk_b;
    uint8_t *out = column->slab + (row - part->row) * column->row_values * size;

    for (uint64_t i = 0; i < run->n; i++) {
        uint64_t at = row_element + (run->column - part->a * column->chunk_a + i) * column->chunk_b;
        uint64_t from = size_max(at, begin), to = size_min(at + nb, end);

        if (from < to)
            memcpy(out + ((run->place + i) * column->b + first_b + (from - at)) * size,
                   data + (from - begin) * size, (to - from) * size);
    }
}

/* The same for a run whose elements are consecutive in chunk and slab. */
static void copy_whole_run(struct column *column, const struct part *part, const struct run *run,
                           uint64_t row, const uint8_t *data, uint64_t begin, uint64_t end)
{
    const size_t size = column->size;
    const uint64_t at =
        (row * column->chunk_a + run->column - part->a * column->chunk_a) * column->chunk_b;
    const uint64_t from = size_max(at, begin), to = size_min(at + run->n * column->b, end);
    uint8_t *out = column->slab + (row - part->row) * column->row_values * size;

    if (from < to)
        memcpy(out + (run->place * column->b + (from - at)) * size, data + (from - begin) * size,
               (to - from) * size);
}

static void copy_block(struct column *column, const struct part *part, uint64_t row_end,
                       const struct block *block)
{
    const uint64_t row_elements = column->chunk_a * column->chunk_b;
    const uint64_t begin = block->begin / column->size, end = begin + block->nbytes / column->size;
    const uint64_t first = size_max(part->row, begin / row_elements);
    const uint64_t last = size_min(row_end, size_div_up(end, row_elements));
    const uint64_t first_a = part->a * column->chunk_a;

    for (uint64_t row = first; row < last; row++)
        for (size_t i = part->runs_begin; i < part->runs_end; i++) {
            struct run run;

            if (!clip_run(&column->runs[i], first_a, first_a + column->chunk_a, &run))
                continue;
            if (column->chunk_b == column->b)
                copy_whole_run(column, part, &run, row, block->data, begin, end);
            else
                copy_run(column, part, &run, row, block->data, begin, end);
        }
}

static int load_part(struct column *column, const struct part *part, uint64_t vchunk,
                     uint64_t row_end, struct err *err)
{
    const uint64_t index[ZARR_DIMS_MAX] = {vchunk, part->a, part->b};
    const uint64_t row_nbytes = column->chunk_a * column->chunk_b * column->size;
    struct chunk *chunk;
    struct block block;
    uint64_t first, last;

    if (decoder_chunk(column->decoder, column->array, index, &chunk, err) != 0)
        return -1;
    if (chunk_is_absent(chunk) && column->judge != NULL &&
        column->judge(column->judge_arg, vchunk, err) != 0)
        return -1;
    first = part->row * row_nbytes / chunk_block_size(chunk);
    last =
        size_min(chunk_nblocks(chunk), size_div_up(row_end * row_nbytes, chunk_block_size(chunk)));
    for (uint64_t i = first; i < last; i++) {
        if (decoder_block(column->decoder, chunk, i, false, &block, err) != 0)
            return -1;
        copy_block(column, part, row_end, &block);
    }
    return 0;
}

static int name_store(const struct column *column, struct err *err)
{
    return err_name(err, "%s", store_path(column->array->store));
}

/* Makes the slab begin at `variant`. */
static int load_slab(struct column *column, uint64_t variant, struct err *err)
{
    const uint64_t vchunk = variant / column->chunk_rows, first = vchunk * column->chunk_rows;
    uint64_t end = size_min(variant + column->slab_rows, first + column->chunk_rows);

    end = size_min(end, column->array->meta.shape[0]);
    if (column->limit > variant)
        end = size_min(end, column->limit);
    column->begin = column->end = 0;
    for (uint64_t a = 0; a < column->nchunks_a; a++) {
        struct part part = {.a = a, .row = variant - first};

        if (!find_runs(column, a, &part.runs_begin, &part.runs_end))
            continue;
        for (part.b = 0; part.b < column->nchunks_b; part.b++)
            if (load_part(column, &part, vchunk, end - first, err) != 0)
                return name_store(column, err);
    }
    column->begin = variant;
    column->end = end;
    return 0;
}

/* The rows in the slab from `variant` on: *data, and their number (at most n). */
static int slab_rows(struct column *column, uint64_t variant, uint64_t n, const uint8_t **data,
                     uint64_t *nrows, struct err *err)
{
    if (variant >= column->array->meta.shape[0])
        return err_set(err, ERR_USAGE, "array %s has no variant %" PRIu64, column->array->name,
                       variant);
    if ((variant < column->begin || variant >= column->end) && load_slab(column, variant, err) != 0)
        return -1;
    *data = column->slab + (variant - column->begin) * column->row_values * column->size;
    *nrows = size_min(n, column->end - variant);
    return 0;
}

#define READ_INTS(type)                                                                            \
    for (uint64_t i = 0; i < n; i++) {                                                             \
        type v_;                                                                                   \
                                                                                                   \
        memcpy(&v_, data + i * sizeof v_, sizeof v_);                                              \
        out[i] = (int64_t)v_;                                                                      \
    }                                                                                              \
    break

static void read_ints(const struct dtype *dtype, const uint8_t *data, uint64_t n, int64_t *out)
{
    bool is_signed = dtype->kind == DTYPE_INT;

    switch (dtype->size * 2 + is_signed) {
    case 2:
        READ_INTS(uint8_t);
    case 3:
        READ_INTS(int8_t);
    case 4:
        READ_INTS(uint16_t);
    case 5:
        READ_INTS(int16_t);
    case 8:
        READ_INTS(uint32_t);
    case 9:
        READ_INTS(int32_t);
    case 16:
        READ_INTS(uint64_t);
    default:
        READ_INTS(int64_t);
    }
}

int column_ints(struct column *column, uint64_t begin, uint64_t n, int64_t *out, struct err *err)
{
    const struct dtype *dtype = &column->array->meta.dtype;

    if (column->size == 0 || dtype->kind == DTYPE_FLOAT)
        return err_set(err, ERR_DATA, "array %s holds no whole numbers", column->array->name);
    while (n > 0) {
        const uint8_t *data = NULL;
        uint64_t rows = 0;

        if (slab_rows(column, begin, n, &data, &rows, err) != 0)
            return -1;
        read_ints(dtype, data, rows * column->row_values, out);
        out += rows * column->row_values;
        begin += rows;
        n -= rows;
    }
    return 0;
}

#define READ_DOUBLES(type)                                                                         \
    for (uint64_t i = 0; i < n; i++) {                                                             \
        type v_;                                                                                   \
                                                                                                   \
        memcpy(&v_, data + i * sizeof v_, sizeof v_);                                              \
        out[i] = v_ == (type)VCZ_INT_MISSING ? missing                                             \
                 : v_ == (type)VCZ_INT_FILL  ? fill                                                \
                                             : (double)v_;                                          \
    }                                                                                              \
    break

static void read_signed(size_t size, const uint8_t *data, uint64_t n, double *out)
{
    const double missing = column_from_bits(COLUMN_MISSING_BITS);
    const double fill = column_from_bits(COLUMN_FILL_BITS);

    switch (size) {
    case 1:
        READ_DOUBLES(int8_t);
    case 2:
        READ_DOUBLES(int16_t);
    case 4:
        READ_DOUBLES(int32_t);
    default:
        READ_DOUBLES(int64_t);
    }
}

static void read_unsigned(size_t size, const uint8_t *data, uint64_t n, double *out)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t value = 0;

        for (size_t k = size; k-- > 0;)
            value |= (uint64_t)data[i * size + k] << (8 * k);
        out[i] = (double)value;
    }
}

static void read_floats(const struct dtype *dtype, const uint8_t *data, uint64_t n, double *out)
{
    uint8_t kinds[1024];

    for (uint64_t done = 0; done < n;) {
        const size_t step = (size_t)size_min(n - done, sizeof kinds);

        zarr_floats(dtype, data + done * dtype->size, step, out + done, kinds);
        for (size_t i = 0; i < step; i++)
            if (kinds[i] != ZARR_FLOAT_VALUE)
                out[done + i] = column_from_bits(kinds[i] == ZARR_FLOAT_FILL ? COLUMN_FILL_BITS
                                                                             : COLUMN_MISSING_BITS);
        done += step;
    }
}

int column_doubles(struct column *column, uint64_t begin, uint64_t n, double *out, struct err *err)
{
    const struct dtype *dtype = &column->array->meta.dtype;

    if (column->size == 0)
        return err_set(err, ERR_DATA, "array %s holds no numbers", column->array->name);
    while (n > 0) {
        const uint8_t *data = NULL;
        uint64_t rows = 0, values;

        if (slab_rows(column, begin, n, &data, &rows, err) != 0)
            return -1;
        values = rows * column->row_values;
        if (dtype->kind == DTYPE_FLOAT)
            read_floats(dtype, data, values, out);
        else if (dtype->kind == DTYPE_INT)
            read_signed(column->size, data, values, out);
        else
            read_unsigned(column->size, data, values, out);
        out += values;
        begin += rows;
        n -= rows;
    }
    return 0;
}

/* Loads rows [row, row + n) of one chunk, unless they are loaded already. A single row is loaded
 * however much memory it takes. */
static int load_strings(struct column *column, const uint64_t *index, uint64_t row, uint64_t n,
                        bool same, struct strings *strings, struct err *err)
{
    const uint64_t width = column->chunk_a * column->chunk_b;

    if (same && strings_hold(strings, row * width, n * width))
        return 0;
    if (zarr_chunk_strings_at(column->decoder, column->array, index, row * width, width,
                              column->strings_budget, strings, err) != 0)
        return name_store(column, err);
    if (!strings_hold(strings, row * width, n * width))
        return err_set(err, ERR_BUDGET,
                       "%s: array %s: the strings of %" PRIu64
                       " variants do not fit the memory budget; give more with --memory",
                       store_path(column->array->store), column->array->name, n);
    return 0;
}

/* Loads rows [row, row + n) of all wanted chunks. */
static int load_rows(struct column *column, uint64_t vchunk, uint64_t row, uint64_t n,
                     struct err *err)
{
    const bool same = column->loaded && column->chunk == vchunk;

    column->loaded = false;
    for (uint64_t a = 0; a < column->nchunks_a; a++) {
        size_t runs_begin, runs_end;

        if (!find_runs(column, a, &runs_begin, &runs_end))
            continue;
        for (uint64_t b = 0; b < column->nchunks_b; b++) {
            const uint64_t index[ZARR_DIMS_MAX] = {vchunk, a, b};

            if (load_strings(column, index, row, n, same,
                             &column->strings[a * column->nchunks_b + b], err) != 0)
                return -1;
        }
    }
    column->loaded = true;
    column->chunk = vchunk;
    return 0;
}

static struct str string_at(const struct column *column, uint64_t row, uint64_t a, uint64_t b)
{
    const struct strings *strings =
        &column->strings[a / column->chunk_a * column->nchunks_b + b / column->chunk_b];

    return strings->items[(row * column->chunk_a + a % column->chunk_a) * column->chunk_b +
                          b % column->chunk_b - strings->first];
}

int column_strings(struct column *column, uint64_t begin, uint64_t n, struct str *out,
                   struct err *err)
{
    const uint64_t vchunk = begin / column->chunk_rows;

    if (column->size != 0)
        return err_set(err, ERR_DATA, "array %s holds no strings", column->array->name);
    if (n == 0)
        return 0;
    if (begin + n > column_chunk_end(column, begin) || begin + n > column->array->meta.shape[0])
        return err_set(err, ERR_USAGE, "array %s: variants of two chunks at once",
                       column->array->name);
    if (load_rows(column, vchunk, begin % column->chunk_rows, n, err) != 0)
        return -1;
    for (uint64_t row = begin % column->chunk_rows, last = row + n; row < last; row++) {
        for (size_t r = 0; r < column->nruns; r++)
            for (uint64_t i = 0; i < column->runs[r].n; i++)
                for (uint64_t b = 0; b < column->b; b++)
                    out[(column->runs[r].place + i) * column->b + b] =
                        string_at(column, row, column->runs[r].column + i, b);
        out += column->row_values;
    }
    return 0;
}
