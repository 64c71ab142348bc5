/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/encode/extract.h"

#include "common/cpu.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_X86 1
#else
#define HAVE_X86 0
#endif

bool extract_is_fast(void)
{
#if HAVE_X86
    return cpu_uses(CPU_BMI2);
#else
    return false;
#endif
}

/* 64 bits of the plane from bit `at` on. */
static inline uint64_t load_bits(const uint8_t *plane, uint64_t at)
{
    uint64_t low;

    memcpy(&low, plane + at / 8, sizeof low);
    if (at % 8 == 0)
        return low;
    return low >> at % 8 | (uint64_t)plane[at / 8 + 8] << (64 - at % 8);
}

void extract_bits_plain(const uint8_t *plane, uint64_t first, const uint64_t *mask, size_t nwords,
                        uint8_t *out)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < nwords * 64; i++) {
        if ((mask[i / 64] >> i % 64 & 1) == 0)
            continue;
        if (n % 8 == 0)
            out[n / 8] = 0;
        out[n / 8] |= (uint8_t)((plane[(first + i) / 8] >> (first + i) % 8 & 1) << n % 8);
        n++;
    }
}

#if HAVE_X86
__attribute__((target("bmi2,popcnt"))) static void extract_bits_bmi2(const uint8_t *plane,
                                                                     uint64_t first,
                                                                     const uint64_t *mask,
                                                                     size_t nwords, uint8_t *out)
{
    uint64_t pending = 0;  /* bits drawn and not yet written */
    unsigned npending = 0; /* < 64 */

    for (size_t i = 0; i < nwords; i++) {
        unsigned n;
        uint64_t bits;

        if (mask[i] == 0)
            continue;
        n = (unsigned)__builtin_popcountll(mask[i]);
        bits = _pext_u64(load_bits(plane, first + 64 * i), mask[i]);
        pending |= bits << npending;
        if (npending + n >= 64) {
            memcpy(out, &pending, sizeof pending);
            out += sizeof pending;
            pending = npending == 0 ? 0 : bits >> (64 - npending);
            npending = npending + n - 64;
        } else {
            npending += n;
        }
    }
    memcpy(out, &pending, sizeof pending);
}
#endif

void extract_bits(const uint8_t *plane, uint64_t first, const uint64_t *mask, size_t nwords,
                  uint8_t *out)
{
#if HAVE_X86
    if (extract_is_fast()) {
        extract_bits_bmi2(plane, first, mask, nwords, out);
        return;
    }
#endif
    extract_bits_plain(plane, first, mask, nwords, out);
}
