/* SPDX-License-Identifier: Apache-2.0 */
/* The fast BGEN kernels in AVX2: each byte of a vector gets the byte with its bit, and tests that
 * bit. */
#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

#define BGEN_TARGET __attribute__((target("avx2,bmi2,popcnt")))
#define AVX2        BGEN_TARGET static inline __attribute__((always_inline))

typedef __m256i bgen_lanes; /* of 64 bits */

AVX2 __m256i expand32(uint32_t bits)
{
    const __m256i which = _mm256_setr_epi64x(0x0000000000000000, 0x0101010101010101,
                                             0x0202020202020202, 0x0303030303030303);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
    const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32((int)bits), which);

    return _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
}

AVX2 void expand64(uint64_t bits, uint8_t *out)
{
    _mm256_storeu_si256((__m256i *)(void *)out, expand32((uint32_t)bits));
    _mm256_storeu_si256((__m256i *)(void *)(out + 32), expand32((uint32_t)(bits >> 32)));
}

AVX2 void weigh(uint64_t bits, bgen_lanes *lanes)
{
    const __m256i low = _mm256_setr_epi64x(0x0706050403020100, 0x0f0e0d0c0b0a0908,
                                           0x1716151413121110, 0x1f1e1d1c1b1a1918);
    const __m256i high = _mm256_setr_epi64x(0x2726252423222120, 0x2f2e2d2c2b2a2928,
                                            0x3736353433323130, 0x3f3e3d3c3b3a3938);
    const __m256i zero = _mm256_setzero_si256();
    const __m256i a = _mm256_and_si256(expand32((uint32_t)bits), low);
    const __m256i b = _mm256_and_si256(expand32((uint32_t)(bits >> 32)), high);

    /* A bit of the low half and one of the high half weigh at most 94 together. */
    *lanes = _mm256_add_epi64(*lanes, _mm256_sad_epu8(_mm256_add_epi8(a, b), zero));
}

AVX2 uint64_t sum_of_lanes(bgen_lanes lanes)
{
    const __m128i two =
        _mm_add_epi64(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));

    return (uint64_t)_mm_cvtsi128_si64(two) +
           (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(two, two));
}

AVX2 uint64_t sign_bits(__m256i v)
{
    return (uint32_t)_mm256_movemask_epi8(v);
}

AVX2 void alleles64(const uint8_t *at, uint64_t *p0, uint64_t *p7, uint64_t *wrong)
{
    *p0 = *p7 = 0;
    for (unsigned half = 0; half < 2; half++) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(at + 32 * half));
        const __m256i shifted = _mm256_add_epi8(v, _mm256_set1_epi8(2));

        *p0 |= sign_bits(_mm256_slli_epi16(v, 7)) << 32 * half;
        *p7 |= sign_bits(v) << 32 * half;
        *wrong |=
            sign_bits(_mm256_cmpeq_epi8(_mm256_max_epu8(shifted, _mm256_set1_epi8(4)), shifted));
    }
}

#define BGEN_PLANES        bgen_planes_avx2
#define BGEN_ALLELES       bgen_alleles_avx2
#define BGEN_VECTOR_NBYTES 32
#define BGEN_EXPAND64      expand64
#define BGEN_EVEN_BITS(x)  _pext_u64(x, 0x5555555555555555)
#define BGEN_COUNT(x)      ((uint64_t)__builtin_popcountll(x))
#define BGEN_WEIGH         weigh
#define BGEN_LANES_SUM     sum_of_lanes
#define BGEN_ALLELES64     alleles64
#include "encoderd/format/bgen_planes.h"
#else
typedef int bgen_planes_avx2_is_for_x86_64;
#endif
