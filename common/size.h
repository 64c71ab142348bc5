/* SPDX-License-Identifier: Apache-2.0 */
/*
 * size: arithmetic on sizes that came from a file, a peer or a user.
 *
 * Each helper returns false, and leaves *out alone, when the result does not fit.
 */
#ifndef VCZFS_COMMON_SIZE_H
#define VCZFS_COMMON_SIZE_H

#include <stdbool.h>
#include <stdint.h>

static inline bool size_add(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

static inline bool size_mul(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

/* ceil(a / b); b must not be 0. */
static inline uint64_t size_div_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

static inline uint64_t size_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t size_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Is [begin, begin + len) inside [0, limit)? Never overflows. */
static inline bool size_range_ok(uint64_t begin, uint64_t len, uint64_t limit)
{
    return begin <= limit && len <= limit - begin;
}

/* Parses a whole number with an optional suffix K, M, G or T (powers of 1024), after which "B" or
 * "iB" is allowed: "256M", "1g", "65536". "1.5G" is refused. */
bool size_parse(const char *text, uint64_t *out);

/* Writes text like "1.5 GiB" to buf (at least 16 bytes); returns buf. */
char *size_format(uint64_t nbytes, char *buf, unsigned long buf_size);

#endif
