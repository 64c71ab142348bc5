/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/codec/filters.h"

#include "common/bytes.h"
#include "common/size.h"
#include "encoderd/zarr/meta/floats.h"
#include "encoderd/zarr/store/damaged.h"

#include <math.h>
#include <string.h>

/* Loads an element of 1 to 8 bytes as 64 bits; a signed one is sign-extended. */
static uint64_t load(const struct dtype *dtype, const uint8_t *at)
{
    unsigned unused = 64 - dtype->size * 8;
    const uint64_t bits = get_uint(at, dtype->size, dtype->big_endian);

    if (dtype->kind == DTYPE_INT)
        return (uint64_t)((int64_t)(bits << unused) >> unused);
    return bits;
}

static void store(const struct dtype *dtype, uint64_t bits, uint8_t *at)
{
    put_uint(at, bits, dtype->size, dtype->big_endian);
}

static double load_float(const struct dtype *dtype, const uint8_t *at)
{
    uint64_t bits = load(dtype, at);
    uint32_t low = (uint32_t)bits;
    double wide;
    float narrow;

    if (dtype->size == 2)
        return half_to_double((uint16_t)bits);
    if (dtype->size == 4) {
        memcpy(&narrow, &low, sizeof narrow);
        return (double)narrow;
    }
    memcpy(&wide, &bits, sizeof wide);
    return wide;
}

static void store_float(const struct dtype *dtype, double value, uint8_t *at)
{
    float narrow = (float)value;
    uint32_t low;
    uint64_t bits;

    if (dtype->size == 2) {
        store(dtype, half_from_double(value), at);
        return;
    }
    if (dtype->size == 4) {
        memcpy(&low, &narrow, sizeof low);
        store(dtype, low, at);
        return;
    }
    memcpy(&bits, &value, sizeof bits);
    store(dtype, bits, at);
}

/* Rounds to a float type of `size` bytes. numpy computes float16 in float32 and rounds each result,
 * so both roundings are done. */
static double round_to(uint32_t size, double value)
{
    if (size == 2)
        return half_to_double(half_from_double((double)(float)value));
    return size == 4 ? (double)(float)value : value;
}

/* Integers wrap around, as they did when the differences were computed. Floats are added in the
 * precision of their type. */
static void undo_delta(const struct zarr_filter *filter, struct filter_run *run,
                       const uint8_t *from, uint8_t *to, uint64_t n)
{
    const struct dtype *encoded = &filter->encoded, *decoded = &filter->decoded;

    for (uint64_t i = 0; i < n; i++, from += encoded->size, to += decoded->size) {
        if (decoded->kind != DTYPE_FLOAT) {
            run->sum += load(encoded, from);
            store(decoded, run->sum, to);
            continue;
        }
        run->total = run->k + i == 0
                         ? load_float(encoded, from)
                         : round_to(decoded->size, run->total + load_float(encoded, from));
        store_float(decoded, run->total, to);
    }
}

static double load_number(const struct dtype *dtype, const uint8_t *at)
{
    if (dtype->kind == DTYPE_FLOAT)
        return load_float(dtype, at);
    return dtype->kind == DTYPE_INT ? (double)(int64_t)load(dtype, at) : (double)load(dtype, at);
}

/* False if the type has no such number. */
static bool store_number(const struct dtype *dtype, double value, uint8_t *at)
{
    bool is_signed = dtype->kind == DTYPE_INT;
    double limit = ldexp(1, (int)(dtype->size * 8 - (is_signed ? 1 : 0)));

    if (dtype->kind == DTYPE_FLOAT) {
        store_float(dtype, value, at);
        return true;
    }
    if (!(value < limit && value > (is_signed ? -limit - 1 : -1.0)))
        return false;
    store(dtype, is_signed ? (uint64_t)(int64_t)value : (uint64_t)value, at);
    return true;
}

/* Computes as numpy does: in double precision, or in the precision of the stored float type. If the
 * result is an integer, it is truncated. */
static int undo_fixed(const struct zarr_filter *filter, const struct filter_run *run,
                      const uint8_t *from, uint8_t *to, uint64_t n, struct err *err)
{
    const struct dtype *encoded = &filter->encoded, *decoded = &filter->decoded;
    const uint32_t size = encoded->kind == DTYPE_FLOAT ? encoded->size : 8;
    const double scale = round_to(size, filter->scale), offset = round_to(size, filter->offset);

    for (uint64_t i = 0; i < n; i++) {
        double value = round_to(size, load_number(encoded, from + i * encoded->size) / scale);

        value = round_to(size, value + offset);
        if (!store_number(decoded, value, to + i * decoded->size))
            return err_set(err, ERR_CORRUPT, "element %llu has no place in its type; " DAMAGED,
                           (unsigned long long)run->k + i);
    }
    return 0;
}

static void undo_packbits(const uint8_t *from, uint8_t *to, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        to[i] = from[i / 8] >> (7 - i % 8) & 1;
}

int filter_check_padding(uint8_t first, uint64_t total, struct err *err)
{
    if (first == (8 - total % 8) % 8)
        return 0;
    return err_set(err, ERR_CORRUPT, "its packed bits are not the %llu of a chunk; " DAMAGED,
                   (unsigned long long)total);
}

void filter_extent(const struct zarr_filter *filter, uint64_t k, uint64_t n, uint64_t *from,
                   uint64_t *nbytes)
{
    const bool bits = filter->id == FILTER_PACKBITS;

    *from = bits ? 1 + k / 8 : k * filter->encoded.size;
    *nbytes = bits ? size_div_up(n, 8) : n * filter->encoded.size;
}

int filter_undo(const struct zarr_filter *filter, struct filter_run *run, const uint8_t *from,
                uint8_t *to, uint64_t n, struct err *err)
{
    int rc = 0;

    switch (filter->id) {
    case FILTER_DELTA:
        undo_delta(filter, run, from, to, n);
        break;
    case FILTER_FIXED:
        rc = undo_fixed(filter, run, from, to, n, err);
        break;
    case FILTER_PACKBITS:
        undo_packbits(from, to, n);
        break;
    case FILTER_SHUFFLE:
        return err_set(err, ERR_SYSTEM, "a filter that is not undone in order");
    }
    run->k += n;
    return rc;
}

static int undo_shuffle(const struct zarr_filter *filter, const uint8_t *from, uint8_t *to,
                        uint64_t nbytes, struct err *err)
{
    uint64_t unit = filter->unit, n = nbytes / unit;

    if (nbytes % unit != 0)
        return err_set(err, ERR_CORRUPT,
                       "filter \"shuffle\" for elements of %llu bytes on %llu bytes",
                       (unsigned long long)unit, (unsigned long long)nbytes);
    for (uint64_t i = 0; i < unit; i++)
        for (uint64_t k = 0; k < n; k++)
            to[k * unit + i] = from[i * n + k];
    return 0;
}

/* The size of filter i's decoded data if its encoded data has nbytes bytes. */
static uint64_t decoded_nbytes(const struct zarr_meta *meta, size_t i, uint64_t nbytes)
{
    const struct zarr_filter *filter = &meta->filters[i];

    return filter->id == FILTER_SHUFFLE ? nbytes : meta->chunk_elements * filter->decoded.size;
}

static int undo(const struct zarr_meta *meta, size_t i, const uint8_t *from, uint64_t nbytes,
                uint8_t *to, struct err *err)
{
    const struct zarr_filter *filter = &meta->filters[i];
    struct filter_run run = {0};

    if (filter->id == FILTER_SHUFFLE)
        return undo_shuffle(filter, from, to, nbytes, err);
    if (filter->id == FILTER_PACKBITS) {
        if (filter_check_padding(from[0], meta->chunk_elements, err) != 0)
            return -1;
        from++;
    }
    return filter_undo(filter, &run, from, to, meta->chunk_elements, err);
}

uint64_t filters_spare_nbytes(const struct zarr_meta *meta)
{
    uint64_t nbytes = meta->filtered_nbytes, most = 0;

    for (size_t i = meta->nfilters; i > 1; i--) {
        nbytes = decoded_nbytes(meta, i - 1, nbytes);
        most = size_max(most, nbytes);
    }
    return most;
}

int filters_undo(const struct zarr_meta *meta, const uint8_t *from, uint8_t *to, uint8_t *spare[2],
                 struct err *err)
{
    uint64_t nbytes = meta->filtered_nbytes;

    for (size_t i = meta->nfilters; i > 0; i--) {
        uint8_t *out = i == 1 ? to : spare[i % 2];

        if (undo(meta, i - 1, from, nbytes, out, err) != 0)
            return -1;
        nbytes = decoded_nbytes(meta, i - 1, nbytes);
        from = out;
    }
    return 0;
}
