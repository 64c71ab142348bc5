/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bed_codes: what the .bed kernels share: words of plane bits, and storing codes in bytes.
 */
#ifndef VCZFS_FORMAT_BED_CODES_H
#define VCZFS_FORMAT_BED_CODES_H

#include "common/bytes.h"
#include "encoderd/zarr/codec/planes.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The first byte is the lowest of the word; common/bytes.h refuses machines where it is not. */
static inline uint64_t bed_load_word(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

static inline void bed_store_word(uint8_t *at, uint64_t word)
{
    memcpy(at, &word, sizeof(word));
}

/* 64 bits of a plane, from any bit on; reads 9 bytes. */
static inline uint64_t bed_bits_at(const struct planes *in, unsigned plane, uint64_t bit)
{
    const uint8_t *at = in->at + plane * in->nbytes + bit / 8;
    unsigned off = bit % 8;

    if (plane >= in->n)
        return 0;
    return bed_load_word(at) >> off | bed_load_word(at + 1) << (8 - off);
}

/* n from 0 to 64. */
static inline uint64_t bed_low_bits(uint64_t n)
{
    return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
}

/* Bit i of the low half to bit 2i. */
static inline uint64_t bed_spread(uint64_t x)
{
    x &= 0xffffffff;
    x = (x | x << 16) & 0x0000ffff0000ffff;
    x = (x | x << 8) & 0x00ff00ff00ff00ff;
    x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
    x = (x | x << 2) & 0x3333333333333333;
    return (x | x << 1) & 0x5555555555555555;
}

/* Adds codes to a byte whose other bits another thread may add at the same time. */
static inline void bed_complete(uint8_t *at, uint64_t codes)
{
    __atomic_fetch_or(at, (uint8_t)codes, __ATOMIC_RELAXED);
}

/* Stores the last 1 to 31 codes of a run, from the low bits of *at on. */
static inline void bed_store_rest(uint8_t *at, uint64_t codes, uint64_t ncalls, bool last)
{
    for (; ncalls >= 4; ncalls -= 4, codes >>= 8)
        *at++ = (uint8_t)codes;
    if (ncalls == 0)
        return;
    if (last)
        *at = (uint8_t)codes;
    else
        bed_complete(at, codes);
}

#endif
