/* The plane kernel in AVX-512, where bits to bytes is one instruction. */
#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

#define BGEN_TARGET __attribute__((target("avx512f,avx512bw,bmi2")))

BGEN_TARGET static inline __attribute__((always_inline)) void expand64(uint64_t bits, uint8_t *out)
{
    _mm512_storeu_si512(out, _mm512_movm_epi8(bits));
}

#define BGEN_KERNEL       bgen_planes_avx512
#define BGEN_EXPAND64     expand64
#define BGEN_EVEN_BITS(x) _pext_u64(x, 0x5555555555555555)
#include "encoderd/format/bgen_planes.h"
#else
typedef int bgen_planes_avx512_is_for_x86_64;
#endif
