/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes: reads and writes numbers in a file's bytes, and tests whether bytes are all the same.
 */
#ifndef VCZFS_COMMON_BYTES_H
#define VCZFS_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "vczfs builds on little-endian machines only: its kernels use the bytes of files as words"
#endif

static inline uint32_t get_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint16_t get_le16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint64_t get_le64(const uint8_t *at)
{
    return get_le32(at) | (uint64_t)get_le32(at + 4) << 32;
}

/* An integer of n bytes, at most 8. */
static inline uint64_t get_uint(const uint8_t *at, size_t n, bool big_endian)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | at[big_endian ? i : n - 1 - i];
    return value;
}

static inline void put_uint(uint8_t *to, uint64_t value, size_t n, bool big_endian)
{
    for (size_t i = 0; i < n; i++)
        to[big_endian ? n - 1 - i : i] = (uint8_t)(value >> (8 * i));
}

static inline void put_le32(uint8_t *to, uint32_t value)
{
    put_uint(to, value, sizeof value, false);
}

static inline bool bytes_are_all(const uint8_t *at, size_t n, uint8_t value)
{
    return n == 0 || (at[0] == value && memcmp(at, at + 1, n - 1) == 0);
}

#endif
