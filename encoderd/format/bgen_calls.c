/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/bgen_calls.h"

#include "common/cpu.h"

#include <string.h>

/* The bytes of a call: its ploidy byte, and its two value bytes in either form. */
struct code {
    uint8_t ploidy, phased[2], unphased[2];
};

#define REF 255
#define ALT 0

/* Indexed by the low two bits of an allele: 0, 1, −2, −1. The first index is never −2: code_of
 * makes −1 of it. */
static const struct code codes[4][4] =
    {
        [0] =
            {
                [0] = {2, {REF, REF}, {255, 0}},
                [1] = {2, {REF, ALT}, {0, 255}},
                [2] = {1, {REF, 0}, {0, REF}},
                [3] = {2 | BGEN_MISSING, {0, 0}, {0, 0}},
            },
        [1] =
            {
                [0] = {2, {ALT, REF}, {0, 255}},
                [1] = {2, {ALT, ALT}, {0, 0}},
                [2] = {1, {ALT, 0}, {0, ALT}},
                [3] = {2 | BGEN_MISSING, {0, 0}, {0, 0}},
            },
        [3] =
            {
                [0] = {2 | BGEN_MISSING, {0, 0}, {0, 0}},
                [1] = {2 | BGEN_MISSING, {0, 0}, {0, 0}},
                [2] = {1 | BGEN_MISSING, {0, 0}, {0, 0}},
                [3] = {2 | BGEN_MISSING, {0, 0}, {0, 0}},
            },
};

static bool in_range(int allele)
{
    return allele >= -2 && allele <= 1;
}

static void count_call(uint64_t i, uint8_t ploidy, struct bgen_sums *sums)
{
    if ((ploidy & BGEN_MISSING) == 0)
        return;
    sums->missing++;
    sums->missing_weighted += i;
}

static void count_values(const uint8_t *values, uint64_t n, struct bgen_sums *sums)
{
    for (uint64_t i = 0; i < n; i++) {
        sums->set += values[i] & 1;
        sums->set_weighted += i * (values[i] & 1);
    }
}

/* NULL if no such call is valid. */
static const struct code *code_of(int a, int b, bool haploid)
{
    if (!in_range(a) || !in_range(b) || (a == -2 && b != -2))
        return NULL;
    if (a == -2)
        a = -1;
    if (b == -2 && !haploid)
        b = a;
    return &codes[(unsigned)a & 3][(unsigned)b & 3];
}

bool bgen_from_alleles_plain(const int8_t *alleles, unsigned axis, uint64_t ncalls,
                             const struct bgen_out *out, struct bgen_sums *sums)
{
    const unsigned nvalues = bgen_nvalues(axis, out->haploid);
    bool ok = true;

    for (uint64_t i = 0; i < ncalls; i++) {
        const int8_t *call = alleles + i * axis;
        const struct code *code = code_of(call[0], axis == 2 ? call[1] : -2, out->haploid);

        if (code == NULL) {
            ok = false;
            code = &codes[3][3];
        }
        out->ploidies[i] = code->ploidy;
        memcpy(out->values + nvalues * i,
               nvalues == 1 || out->phased ? code->phased : code->unphased, nvalues);
        sums->haploid += nvalues == 2 && (code->ploidy & 1) != 0;
        count_call(i, code->ploidy, sums);
    }
    count_values(out->values, nvalues * ncalls, sums);
    return ok;
}

typedef uint64_t pair_vec __attribute__((vector_size(16)));
typedef uint64_t pair_vec_any __attribute__((vector_size(16), aligned(1), may_alias));

/* (x, y) becomes (x & y, x ^ y): both are REF, exactly one is REF. */
void bgen_unphase(uint8_t *values, uint64_t ncalls)
{
    const pair_vec first = (pair_vec){} + 0x00ff00ff00ff00ff;
    uint64_t i = 0;

    for (; ncalls - i >= 8; i += 8) {
        pair_vec_any *at = (pair_vec_any *)(values + 2 * i);
        const pair_vec x = *at & first, y = *at >> 8 & first;

        *at = (x & y) | (x ^ y) << 8;
    }
    for (; i < ncalls; i++) {
        const uint8_t x = values[2 * i], y = values[2 * i + 1];

        values[2 * i] = x & y;
        values[2 * i + 1] = x ^ y;
    }
}

void bgen_compact(const uint8_t *ploidies, uint8_t *values, uint64_t ncalls)
{
    uint8_t *to = values + 2 * ncalls;

    for (uint64_t i = ncalls; i-- > 0;) {
        const uint8_t x = values[2 * i], y = values[2 * i + 1];
        const bool haploid = (ploidies[i] & 1) != 0;

        *--to = haploid ? x | y : y;
        if (!haploid)
            *--to = x;
    }
}

const char *const bgen_impl_names[] = {"portable", "avx2", "avx512", NULL};

static const struct bgen_impl portable = {"portable", bgen_planes_portable, bgen_alleles_portable};

#ifdef __x86_64__
static const struct bgen_impl avx2 = {"avx2", bgen_planes_avx2, bgen_alleles_avx2};
static const struct bgen_impl avx512 = {"avx512", bgen_planes_avx512, bgen_alleles_avx512};

static bool have_avx512(void)
{
    return cpu_uses(CPU_AVX512 | CPU_BMI2);
}

static bool have_avx2(void)
{
    return cpu_uses(CPU_AVX2 | CPU_BMI2);
}
#endif

const struct bgen_impl *bgen_impl(const char *name)
{
    if (strcmp(name, "portable") == 0)
        return &portable;
#ifdef __x86_64__
    if (strcmp(name, "avx2") == 0 && have_avx2())
        return &avx2;
    if (strcmp(name, "avx512") == 0 && have_avx512())
        return &avx512;
#endif
    return NULL;
}

static const struct bgen_impl *best(void)
{
#ifdef __x86_64__
    if (have_avx512())
        return &avx512;
    if (have_avx2())
        return &avx2;
#endif
    return &portable;
}

bool bgen_from_planes(const struct planes *planes, uint64_t first, unsigned axis, uint64_t ncalls,
                      const struct bgen_out *out, struct bgen_sums *sums)
{
    return best()->planes(planes, first, axis, ncalls, out, sums);
}

bool bgen_from_alleles(const int8_t *alleles, unsigned axis, uint64_t ncalls,
                       const struct bgen_out *out, struct bgen_sums *sums)
{
    return best()->alleles(alleles, axis, ncalls, out, sums);
}
