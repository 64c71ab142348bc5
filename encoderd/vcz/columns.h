/* SPDX-License-Identifier: Apache-2.0 */
/*
 * columns: reads any array of a store whose first axis is variants, in ranges of variants.
 *
 * A column belongs to one thread. It keeps what it read last, so that consecutive ranges decode
 * every block once. Only chunks that hold wanted samples are read.
 */
#ifndef VCZFS_VCZ_COLUMNS_H
#define VCZFS_VCZ_COLUMNS_H

#include "encoderd/vcz/vcz.h"

#include <string.h>

/* The doubles for missing values and for fill: two quiet NaNs that differ in their bits. */
#define COLUMN_MISSING_BITS UINT64_C(0x7ff8000000000001)
#define COLUMN_FILL_BITS    UINT64_C(0x7ff8000000000002)

static inline uint64_t column_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double column_from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Opens the array `name`: (variants[, n]), or (variants, samples[, n]) if `per_sample`. *out is
 * NULL if the store has none. Errors: an axis whose length differs from the store's variants or
 * samples, a dtype that is no number, boolean or string. The caller owns *out. */
int column_array_open(const struct vcz *vcz, const char *name, bool per_sample,
                      struct zarr_array **out, struct err *err);

/* Values per variant (and sample): n, or 1. */
uint64_t column_array_width(const struct zarr_array *array, bool per_sample);
bool column_array_is_string(const struct zarr_array *array);

/* How many variants one thread should take of this array at a time, so that two threads decode
 * little twice. */
uint64_t column_array_stride(const struct zarr_array *array);

struct column;

/* samples: columns of the samples axis in the wanted order (borrowed until the column is freed), or
 * NULL for an array without that axis. budget: bytes that the column may hold; it holds more only
 * if one variant needs more. The decoder and the array are borrowed. */
struct column *column_new(const struct zarr_array *array, const uint64_t *samples,
                          uint64_t nsamples, struct decoder *decoder, size_t budget,
                          struct err *err);
void column_free(struct column *column);

/* `judge` is called before the fill value of a chunk that is not stored is taken for its values,
 * with the chunk's number along the variants; not for strings. If it returns -1 and an error,
 * reading fails. */
typedef int column_judge(void *arg, uint64_t vchunk, struct err *err);
void column_on_absent(struct column *column, column_judge *judge, void *arg);

/* A hint: no variant from this one on will be asked for soon. */
void column_limit(struct column *column, uint64_t end);

/* Reads variants [begin, begin + n): n × (samples ×) width values. Integers -1 and -2 and the
 * floats' missing and fill become COLUMN_MISSING and COLUMN_FILL; booleans become 0 and 1. */
int column_doubles(struct column *column, uint64_t begin, uint64_t n, double *out, struct err *err);

/* The same as integers, as stored; not for floats. */
int column_ints(struct column *column, uint64_t begin, uint64_t n, int64_t *out, struct err *err);

/* The same for strings, as stored; valid until the column is read again. begin and begin + n - 1
 * must be in one chunk: see column_chunk_end. ERR_BUDGET if they need more memory than is allowed:
 * ask for fewer. */
int column_strings(struct column *column, uint64_t begin, uint64_t n, struct str *out,
                   struct err *err);

/* One past the last variant of the chunk that holds `variant`. */
uint64_t column_chunk_end(const struct column *column, uint64_t variant);

#endif
