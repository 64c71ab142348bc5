/* The plane kernel in words that every 64-bit machine has. */
#include <stdint.h>
#include <string.h>

/* Eight bits to eight bytes: bit i is picked out of byte i and then fills it. */
static inline uint64_t expand8(uint64_t bits)
{
    const uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
    const uint64_t picked = (bits * 0x0101010101010101) & 0x8040201008040201;

    return ((((picked & low7) + low7) | picked) >> 7 & 0x0101010101010101) * 255;
}

static inline void expand64(uint64_t bits, uint8_t *out)
{
    for (unsigned i = 0; i < 8; i++) {
        const uint64_t bytes = expand8(bits >> 8 * i & 0xff);

        memcpy(out + 8 * i, &bytes, sizeof bytes);
    }
}

static inline uint64_t even_bits(uint64_t x)
{
    x &= 0x5555555555555555;
    x = (x | x >> 1) & 0x3333333333333333;
    x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
    x = (x | x >> 4) & 0x00ff00ff00ff00ff;
    x = (x | x >> 8) & 0x0000ffff0000ffff;
    return (x | x >> 16) & 0x00000000ffffffff;
}

#define BGEN_KERNEL bgen_planes_portable
#define BGEN_TARGET
#define BGEN_EXPAND64  expand64
#define BGEN_EVEN_BITS even_bits
#include "encoderd/format/bgen_planes.h"
