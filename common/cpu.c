/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cpu.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

/* A CPU has a level if it has all features that the level needs. */
struct cpu_level {
    const char *name;
    unsigned needs, uses;
};

static const struct cpu_level levels[] = {
    {"portable", 0, 0},
    {"avx2", CPU_AVX2 | CPU_BMI2, CPU_CRC32C | CPU_BMI2 | CPU_AVX2},
    {"avx512", CPU_AVX512 | CPU_AVX2 | CPU_BMI2, CPU_CRC32C | CPU_BMI2 | CPU_AVX2 | CPU_AVX512},
    {"neon", CPU_NEON, CPU_CRC32C | CPU_NEON},
};
#define NLEVELS (sizeof levels / sizeof levels[0])

/* cpu_uses's answer for every feature; written once. */
static unsigned used;
static pthread_once_t used_once = PTHREAD_ONCE_INIT;

static unsigned features_of_machine(void)
{
    unsigned has = 0;

#if defined(__x86_64__)
    has |= __builtin_cpu_supports("sse4.2") ? CPU_CRC32C : 0;
    has |= __builtin_cpu_supports("bmi2") ? CPU_BMI2 : 0;
    has |= __builtin_cpu_supports("avx2") ? CPU_AVX2 : 0;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        has |= CPU_AVX512;
#elif defined(__aarch64__)
    has |= (getauxval(AT_HWCAP) & HWCAP_ASIMD) != 0 ? CPU_NEON : 0;
    has |= (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0 ? CPU_CRC32C : 0;
#endif
    return has;
}

static int refuse(const char *name, unsigned has, struct err *err)
{
    char there[64] = "";
    size_t len = 0;

    for (size_t i = 0; i < NLEVELS; i++)
        if ((levels[i].needs & ~has) == 0)
            len += (size_t)snprintf(there + len, sizeof there - len, "%s%s", i == 0 ? "" : ", ",
                                    levels[i].name);
    return err_set(err, ERR_USAGE, "VCZFS_CPU=%.100s: this machine has no such level; it has %s",
                   name, there);
}

int cpu_choose(const char *name, unsigned has, unsigned *uses, struct err *err)
{
    if (name == NULL || *name == '\0') {
        *uses = has;
        return 0;
    }
    for (size_t i = 0; i < NLEVELS; i++) {
        if (strcmp(levels[i].name, name) != 0 || (levels[i].needs & ~has) != 0)
            continue;
        *uses = levels[i].uses & has;
        return 0;
    }
    return refuse(name, has, err);
}

static void choose_used(void)
{
    if (cpu_choose(getenv("VCZFS_CPU"), features_of_machine(), &used, NULL) != 0)
        used = 0;
}

bool cpu_uses(unsigned features)
{
    pthread_once(&used_once, choose_used);
    return (features & ~used) == 0;
}

int cpu_check(struct err *err)
{
    unsigned uses;

    return cpu_choose(getenv("VCZFS_CPU"), features_of_machine(), &uses, err);
}
