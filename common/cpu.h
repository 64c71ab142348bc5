/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu: which of the CPU's instructions the kernels use.
 *
 * That is all that vczfs has kernels for and the CPU has; or, for tests, those of the level that
 * the environment variable VCZFS_CPU names. "portable" uses none of them.
 */
#ifndef VCZFS_COMMON_CPU_H
#define VCZFS_COMMON_CPU_H

#include "common/err.h"

#include <stdbool.h>

enum cpu_feature {
    CPU_CRC32C = 1 << 0, /* SSE 4.2, or the CRC32 of ARMv8 */
    CPU_BMI2 = 1 << 1,
    CPU_AVX2 = 1 << 2,
    CPU_AVX512 = 1 << 3, /* F and BW */
    CPU_NEON = 1 << 4,
};

/* Does this CPU have all of these features, and does VCZFS_CPU allow them? The answer stays the
 * same: the environment is read at the first call. If VCZFS_CPU is wrong, every answer is no. Any
 * thread may ask. */
bool cpu_uses(unsigned features);

/* ERR_USAGE if VCZFS_CPU names a level that does not exist or that this CPU does not have; the
 * message lists those that it has. */
int cpu_check(struct err *err);

/* Sets *uses to the features that the level `name` uses on a CPU that has the features `has`; all
 * of these if the name is NULL or empty. Fails like cpu_check. */
int cpu_choose(const char *name, unsigned has, unsigned *uses, struct err *err);

#endif
