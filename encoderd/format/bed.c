/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/bed.h"

#include "common/cpu.h"
#include "encoderd/format/bed_codes.h"

enum { HOM_ALT = 0, MISSING = 1, HET = 2, HOM_REF = 3 };

/* Indexed by the low two bits of an allele: 0, 1, −2, −1. BAD is a bit that no code has. */
#define BAD 4
static const uint8_t diploid_code[4][4] = {
    /* second:  0        1        −2       −1 */
    [0] = {HOM_REF, HET, HOM_REF, MISSING},
    [1] = {HET, HOM_ALT, HOM_ALT, MISSING},
    [2] = {BAD, BAD, MISSING, BAD},
    [3] = {MISSING, MISSING, MISSING, MISSING},
};
static const uint8_t haploid_code[4] = {HOM_REF, HOM_ALT, MISSING, MISSING};

static unsigned code_of(const int8_t *call, unsigned ploidy)
{
    unsigned a = (unsigned)call[0] & 3, b = (unsigned)call[ploidy - 1] & 3;

    if (call[0] < -2 || call[0] > 1 || call[ploidy - 1] < -2 || call[ploidy - 1] > 1)
        return BAD;
    return ploidy == 1 ? haploid_code[a] : diploid_code[a][b];
}

/* Up to four codes; *bad takes BAD. */
static uint64_t codes_of(const int8_t *calls, unsigned ploidy, uint64_t ncalls, uint64_t *bad)
{
    uint64_t codes = 0;

    for (uint64_t i = 0; i < ncalls; i++) {
        unsigned code = code_of(calls + i * ploidy, ploidy);

        *bad |= code & BAD;
        codes |= (uint64_t)(code & 3) << 2 * i;
    }
    return codes;
}

/* Codes four diploid calls at once, each in 16 bits of a word, with the steps of bed_planes.h. */
static uint8_t four_diploid(const int8_t *calls, uint64_t *bad)
{
    const uint64_t each = 0x0001000100010001;
    uint64_t w = bed_load_word((const uint8_t *)calls);
    uint64_t a = w & each, b = w >> 8 & each, na = w >> 7 & each, nb = w >> 15 & each;
    uint64_t fill = nb & ~b, missing, code;

    /* An allele from −2 to 1 has equal bits 1 to 7. */
    *bad |= (w ^ w << 1) & 0xfcfcfcfcfcfcfcfc;
    *bad |= na & ~a & ~fill;
    b |= fill & a;
    missing = na | (nb & ~fill);
    code = missing | (~(a | b) & each) | (~missing & ~(a & b) & each) << 1;
    return (uint8_t)(code | code >> 14 | code >> 28 | code >> 42);
}

bool bed_from_alleles(const int8_t *alleles, unsigned ploidy, uint64_t ncalls, unsigned shift,
                      bool last, uint8_t *out)
{
    uint64_t bad = 0, done = 0;

    if (shift != 0 && ncalls != 0) {
        done = ncalls < 4 - shift ? ncalls : 4 - shift;
        bed_complete(out++, codes_of(alleles, ploidy, done, &bad) << 2 * shift);
        alleles += done * ploidy;
        ncalls -= done;
    }
    if (ploidy == 2)
        for (done = 0; ncalls - done >= 4; done += 4)
            out[done / 4] = four_diploid(alleles + 2 * done, &bad);
    else
        for (done = 0; ncalls - done >= 4; done += 4)
            out[done / 4] = (uint8_t)codes_of(alleles + done, 1, 4, &bad);
    if (ncalls != done)
        bed_store_rest(out + done / 4,
                       codes_of(alleles + done * ploidy, ploidy, ncalls - done, &bad),
                       ncalls - done, last);
    return bad == 0;
}

const char *const bed_planes_names[] = {"portable", "avx2", "avx512", NULL};

bed_planes_fn *bed_planes_impl(const char *name)
{
    if (strcmp(name, "portable") == 0)
        return bed_planes_portable;
#ifdef __x86_64__
    if (strcmp(name, "avx2") == 0 && cpu_uses(CPU_AVX2))
        return bed_planes_avx2;
    if (strcmp(name, "avx512") == 0 && cpu_uses(CPU_AVX512))
        return bed_planes_avx512;
#endif
    return NULL;
}

static bed_planes_fn *best(void)
{
#ifdef __x86_64__
    if (cpu_uses(CPU_AVX512))
        return bed_planes_avx512;
    if (cpu_uses(CPU_AVX2))
        return bed_planes_avx2;
#endif
    return bed_planes_portable;
}

bool bed_from_planes(const struct planes *planes, uint64_t first, unsigned ploidy, uint64_t ncalls,
                     unsigned shift, bool last, uint8_t *out)
{
    return best()(planes, first, ploidy, ncalls, shift, last, out);
}
