/* SPDX-License-Identifier: Apache-2.0 */
/* The fast BGEN kernels in AVX-512, which turns bits into bytes with one instruction. */
#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

#define BGEN_TARGET __attribute__((target("avx512f,avx512bw,bmi2,popcnt")))
#define AVX512      BGEN_TARGET static inline __attribute__((always_inline))

typedef __m512i bgen_lanes; /* of 64 bits */

AVX512 void expand64(uint64_t bits, uint8_t *out)
{
    _mm512_storeu_si512(out, _mm512_movm_epi8(bits));
}

AVX512 void weigh(uint64_t bits, bgen_lanes *lanes)
{
    const __m512i places = _mm512_set_epi64(
        0x3f3e3d3c3b3a3938, 0x3736353433323130, 0x2f2e2d2c2b2a2928, 0x2726252423222120,
        0x1f1e1d1c1b1a1918, 0x1716151413121110, 0x0f0e0d0c0b0a0908, 0x0706050403020100);

    *lanes = _mm512_add_epi64(
        *lanes, _mm512_sad_epu8(_mm512_maskz_mov_epi8(bits, places), _mm512_setzero_si512()));
}

AVX512 void alleles64(const uint8_t *at, uint64_t *p0, uint64_t *p7, uint64_t *wrong)
{
    const __m512i v = _mm512_loadu_si512(at);

    *p0 = _mm512_movepi8_mask(_mm512_slli_epi16(v, 7));
    *p7 = _mm512_movepi8_mask(v);
    *wrong |= _mm512_cmpgt_epu8_mask(_mm512_add_epi8(v, _mm512_set1_epi8(2)), _mm512_set1_epi8(3));
}

#define BGEN_PLANES           bgen_planes_avx512
#define BGEN_ALLELES          bgen_alleles_avx512
#define BGEN_VECTOR_NBYTES    64
#define BGEN_EXPAND64         expand64
#define BGEN_EVEN_BITS(x)     _pext_u64(x, 0x5555555555555555)
#define BGEN_COUNT(x)         ((uint64_t)__builtin_popcountll(x))
#define BGEN_WEIGH            weigh
#define BGEN_LANES_SUM(lanes) ((uint64_t)_mm512_reduce_add_epi64(lanes))
#define BGEN_ALLELES64        alleles64
#include "encoderd/format/bgen_planes.h"
#else
typedef int bgen_planes_avx512_is_for_x86_64;
#endif
