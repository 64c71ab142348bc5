/* The plane kernel in AVX2: each byte of a vector takes its byte of bits and tests its bit. */
#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

#define BGEN_TARGET __attribute__((target("avx2,bmi2")))

BGEN_TARGET static inline __attribute__((always_inline)) __m256i expand32(uint32_t bits)
{
    const __m256i which = _mm256_setr_epi64x(0x0000000000000000, 0x0101010101010101,
                                             0x0202020202020202, 0x0303030303030303);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
    const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32((int)bits), which);

    return _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
}

BGEN_TARGET static inline __attribute__((always_inline)) void expand64(uint64_t bits, uint8_t *out)
{
    _mm256_storeu_si256((__m256i *)(void *)out, expand32((uint32_t)bits));
    _mm256_storeu_si256((__m256i *)(void *)(out + 32), expand32((uint32_t)(bits >> 32)));
}

#define BGEN_KERNEL       bgen_planes_avx2
#define BGEN_EXPAND64     expand64
#define BGEN_EVEN_BITS(x) _pext_u64(x, 0x5555555555555555)
#include "encoderd/format/bgen_planes.h"
#else
typedef int bgen_planes_avx2_is_for_x86_64;
#endif
