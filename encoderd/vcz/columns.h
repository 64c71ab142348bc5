/* SPDX-License-Identifier: Apache-2.0 */
/*
 * columns: any array of a store whose first axis is variants, read in ranges of variants.
 *
 * A column belongs to one thread. It keeps what it read last, so ranges that follow one another
 * cost every block one decode. Nothing but the chunks that hold wanted samples is read.
 */
#ifndef VCZFS_VCZ_COLUMNS_H
#define VCZFS_VCZ_COLUMNS_H

#include "encoderd/vcz/vcz.h"

#include <string.h>

/* What numbers become that are not values: two quiet NaNs told apart by their bits. */
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

/* Opens the array `name`: (variants[, n]), or (variants, samples[, n]) when `per_sample`. *out is
 * NULL if the store has none. Errors: an axis that disagrees with the store's variants or samples,
 * a dtype that is no number, boolean or string. The caller owns *out. */
int column_array_open(const struct vcz *vcz, const char *name, bool per_sample,
                      struct zarr_array **out, struct err *err);

/* Values per variant (and sample): n, or 1. */
uint64_t column_array_width(const struct zarr_array *array, bool per_sample);
bool column_array_is_string(const struct zarr_array *array);

/* How many variants one thread should take of this array at a time, so that it decodes little that
 * another decodes too. */
uint64_t column_array_stride(const struct zarr_array *array);

struct column;

/* samples: columns of the samples axis in the order in which they are wanted (borrowed until the
 * column is freed), or NULL for an array without that axis. budget: bytes that the column may hold,
 * exceeded only where one variant alone needs more. The decoder and the array are borrowed. */
struct column *column_new(const struct zarr_array *array, const uint64_t *samples,
                          uint64_t nsamples, struct decoder *decoder, size_t budget,
                          struct err *err);
void column_free(struct column *column);

/* Called before what a chunk that is not stored reads as is taken for values, with its number along
 * the variants; not for strings. -1 and an error refuse it. */
typedef int column_judge(void *arg, uint64_t vchunk, struct err *err);
void column_on_absent(struct column *column, column_judge *judge, void *arg);

/* A hint: nothing from this variant on will be asked for soon. */
void column_limit(struct column *column, uint64_t end);

/* Variants [begin, begin + n): n × (samples ×) width values. Integers -1 and -2 and the floats'
 * missing and fill become COLUMN_MISSING and COLUMN_FILL; booleans 0 and 1. */
int column_doubles(struct column *column, uint64_t begin, uint64_t n, double *out, struct err *err);

/* The same as whole numbers, as stored; not for floats. */
int column_ints(struct column *column, uint64_t begin, uint64_t n, int64_t *out, struct err *err);

/* The same for strings, as stored; valid until the column is asked again. begin and begin + n - 1
 * must lie in one chunk: see column_chunk_end. ERR_BUDGET where they are more than may be held: ask
 * for fewer. */
int column_strings(struct column *column, uint64_t begin, uint64_t n, struct str *out,
                   struct err *err);

/* One past the last variant of the chunk that holds `variant`. */
uint64_t column_chunk_end(const struct column *column, uint64_t variant);

#endif
