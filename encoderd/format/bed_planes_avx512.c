/* SPDX-License-Identifier: Apache-2.0 */
/* The plane kernel in AVX-512: ternary logic saves half of the formula's steps. */
#ifdef __x86_64__
#define BED_KERNEL        bed_planes_avx512
#define BED_VECTOR_NBYTES 64
#define BED_TARGET        __attribute__((target("avx512f")))
#include "encoderd/format/bed_planes.h"
#else
typedef int bed_planes_avx512_is_for_x86_64;
#endif
