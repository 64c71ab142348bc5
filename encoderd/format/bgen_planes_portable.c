/* SPDX-License-Identifier: Apache-2.0 */
/* The fast BGEN kernels in words that every 64-bit machine has. */
#include <stdint.h>
#include <string.h>

#define PORTABLE  static inline __attribute__((always_inline))
#define EACH_BYTE UINT64_C(0x0101010101010101)

typedef uint64_t bgen_lanes;

/* Eight bits to eight bytes of 0 or 1: bit i is selected in byte i and then moved down. */
PORTABLE uint64_t spread8(uint64_t bits)
{
    const uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
    const uint64_t picked = (bits * EACH_BYTE) & 0x8040201008040201;

    return (((picked & low7) + low7) | picked) >> 7 & EACH_BYTE;
}

PORTABLE void expand64(uint64_t bits, uint8_t *out)
{
    for (unsigned i = 0; i < 8; i++) {
        const uint64_t bytes = spread8(bits >> 8 * i & 0xff) * 255;

        memcpy(out + 8 * i, &bytes, sizeof bytes);
    }
}

PORTABLE uint64_t count(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555;
    x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
    return ((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f) * EACH_BYTE >> 56;
}

PORTABLE void weigh(uint64_t bits, bgen_lanes *lanes)
{
    for (unsigned i = 0; i < 8; i++) {
        const uint64_t bytes = spread8(bits >> 8 * i & 0xff);

        *lanes += ((bytes * 255 & 0x0706050403020100) * EACH_BYTE >> 56) +
                  8 * i * (bytes * EACH_BYTE >> 56);
    }
}

PORTABLE uint64_t even_bits(uint64_t x)
{
    x &= 0x5555555555555555;
    x = (x | x >> 1) & 0x3333333333333333;
    x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
    x = (x | x >> 4) & 0x00ff00ff00ff00ff;
    x = (x | x >> 8) & 0x0000ffff0000ffff;
    return (x | x >> 16) & 0x00000000ffffffff;
}

/* Packs the lowest bit of each byte. */
PORTABLE uint64_t gather8(uint64_t bytes)
{
    return (bytes & EACH_BYTE) * 0x0102040810204080 >> 56;
}

PORTABLE void alleles64(const uint8_t *at, uint64_t *p0, uint64_t *p7, uint64_t *wrong)
{
    *p0 = *p7 = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t v;

        memcpy(&v, at + 8 * i, sizeof v);
        *p0 |= gather8(v) << 8 * i;
        *p7 |= gather8(v >> 7) << 8 * i;
        /* An allele from −2 to 1 has equal bits 1 to 7. */
        *wrong |= (v ^ v << 1) & 0xfcfcfcfcfcfcfcfc;
    }
}

#define BGEN_TARGET
#define BGEN_PLANES           bgen_planes_portable
#define BGEN_ALLELES          bgen_alleles_portable
#define BGEN_VECTOR_NBYTES    16
#define BGEN_EXPAND64         expand64
#define BGEN_EVEN_BITS        even_bits
#define BGEN_COUNT            count
#define BGEN_WEIGH            weigh
#define BGEN_LANES_SUM(lanes) (lanes)
#define BGEN_ALLELES64        alleles64
#include "encoderd/format/bgen_planes.h"
