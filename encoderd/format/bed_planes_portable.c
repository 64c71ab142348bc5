/* SPDX-License-Identifier: Apache-2.0 */
/* The plane kernel in vectors that every 64-bit machine has. */
#define BED_KERNEL        bed_planes_portable
#define BED_VECTOR_NBYTES 16
#define BED_TARGET
#include "encoderd/format/bed_planes.h"
