/* SPDX-License-Identifier: Apache-2.0 */
/* The plane kernel in AVX2. */
#ifdef __x86_64__
#define BED_KERNEL        bed_planes_avx2
#define BED_VECTOR_NBYTES 32
#define BED_TARGET        __attribute__((target("avx2")))
#include "encoderd/format/bed_planes.h"
#else
typedef int bed_planes_avx2_is_for_x86_64;
#endif
