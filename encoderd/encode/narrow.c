/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/encode/narrow.h"

#include <string.h>

/* A constant length, so that compilers vectorise the loop at -O2 too. */
#define STEP 64

/* A function that is compiled separately for each constant width with which it is called. */
#define FOR_WIDTH static inline __attribute__((always_inline))

FOR_WIDTH int8_t load(const uint8_t *at, unsigned width)
{
    int64_t i64;
    int32_t i32;
    int16_t i16;

    switch (width) {
    case 2:
        memcpy(&i16, at, sizeof i16);
        return i16 == (int8_t)i16 ? (int8_t)i16 : INT8_MAX;
    case 4:
        memcpy(&i32, at, sizeof i32);
        return i32 == (int8_t)i32 ? (int8_t)i32 : INT8_MAX;
    case 8:
        memcpy(&i64, at, sizeof i64);
        return i64 == (int8_t)i64 ? (int8_t)i64 : INT8_MAX;
    default:
        return (int8_t)*at;
    }
}

FOR_WIDTH void load_each(const uint8_t *from, unsigned width, uint64_t n, int8_t *to)
{
    for (uint64_t i = 0; i < n; i++)
        to[i] = load(from + i * width, width);
}

/* Takes the low byte of each element, and tests once a step whether any element has more than that.
 * None has, unless the store has alleles that no output can show. */
#define DEFINE_NARROW(name, type)                                                                  \
    static void name(const uint8_t *restrict from, uint64_t n, int8_t *restrict to)                \
    {                                                                                              \
        for (; n >= STEP; n -= STEP, from += STEP * sizeof(type), to += STEP) {                    \
            type more = 0, value;                                                                  \
                                                                                                   \
            for (unsigned i = 0; i < STEP; i++) {                                                  \
                memcpy(&value, from + i * sizeof value, sizeof value);                             \
                to[i] = (int8_t)value;                                                             \
                more |= (type)(value ^ (int8_t)value);                                             \
            }                                                                                      \
            if (more != 0)                                                                         \
                load_each(from, sizeof(type), STEP, to);                                           \
        }                                                                                          \
        load_each(from, sizeof(type), n, to);                                                      \
    }

DEFINE_NARROW(narrow_i16, int16_t)
DEFINE_NARROW(narrow_i32, int32_t)
DEFINE_NARROW(narrow_i64, int64_t)

void narrow_run(const uint8_t *from, unsigned width, uint64_t n, int8_t *to)
{
    switch (width) {
    case 2:
        narrow_i16(from, n, to);
        break;
    case 4:
        narrow_i32(from, n, to);
        break;
    case 8:
        narrow_i64(from, n, to);
        break;
    default:
        memcpy(to, from, n);
    }
}

FOR_WIDTH void gather(const uint8_t *from, unsigned width, uint64_t first, const uint64_t *elements,
                      uint64_t n, unsigned step, int8_t *to)
{
    for (uint64_t i = 0; i < n; i++)
        to[i * step] = load(from + (elements[i] - first) * width, width);
}

void narrow_gather(const uint8_t *from, unsigned width, uint64_t first, const uint64_t *elements,
                   uint64_t n, unsigned step, int8_t *to)
{
    switch (width) {
    case 2:
        gather(from, 2, first, elements, n, step, to);
        break;
    case 4:
        gather(from, 4, first, elements, n, step, to);
        break;
    case 8:
        gather(from, 8, first, elements, n, step, to);
        break;
    default:
        gather(from, 1, first, elements, n, step, to);
    }
}
