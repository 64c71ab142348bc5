/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen_data: the probability data of a variant's block of a .bgen, by zlib.
 */
#ifndef VCZFS_TESTS_BGEN_DATA_H
#define VCZFS_TESTS_BGEN_DATA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs those above it. */
#include <cmocka.h>
#include <stdlib.h>
#include <zlib.h>

static inline uint32_t bgen_u16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t bgen_u32(const uint8_t *at)
{
    return bgen_u16(at) | bgen_u16(at + 2) << 16;
}

/* Past the identifying data, to C. */
static inline const uint8_t *bgen_skip_strings(const uint8_t *at)
{
    for (unsigned i = 0; i < 3; i++)
        at += 2 + bgen_u16(at);
    assert_int_equal(bgen_u16(at + 4), 2);
    at += 6;
    for (unsigned i = 0; i < 2; i++)
        at += 4 + bgen_u32(at);
    return at;
}

/* Of a block of `size` bytes, no more and no less; the caller frees. */
static inline uint8_t *bgen_data_of(const uint8_t *block, uint64_t size, uint64_t *nbytes)
{
    const uint8_t *at = bgen_skip_strings(block);
    uLongf length = bgen_u32(at + 4);
    uint8_t *data = malloc(length);

    assert_ptr_equal(at + 4 + bgen_u32(at), block + size);
    *nbytes = length;
    assert_int_equal(uncompress(data, &length, at + 8, bgen_u32(at) - 4), Z_OK);
    assert_int_equal(length, *nbytes);
    return data;
}

#endif
