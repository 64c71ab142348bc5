/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bed_planes: the .bed kernel for bit planes, written once for any vector width.
 *
 * A template: define BED_KERNEL (the function's name), BED_VECTOR_NBYTES (16, 32, 64) and
 * BED_TARGET (a function attribute, or nothing), then include it. The vectors are the compilers'
 * own type, so one formula serves every instruction set.
 *
 * A vector may begin at any bit of a byte: with v0 read at byte q and v1 at byte q + 1, v0 >> off |
 * v1 << (8 − off) is right for every off from 0 to 7. Only planes 0 and 7 need that. To check
 * planes 1 to 6, v1 alone is enough: the loop ends a byte before the run's end, so that every bit
 * of v1 belongs to the run, and the bits before the first v1 are checked separately.
 */
#include "encoderd/format/bed.h"
#include "encoderd/format/bed_codes.h"

typedef uint64_t bed_vec __attribute__((vector_size(BED_VECTOR_NBYTES)));
typedef uint64_t bed_vec_any __attribute__((vector_size(BED_VECTOR_NBYTES), aligned(1), may_alias));

#define BED_INLINE BED_TARGET static inline __attribute__((always_inline))

BED_INLINE bed_vec bed_load(const uint8_t *at)
{
    return *(const bed_vec_any *)at;
}

/* Makes 2-bit codes from planes 0 and 7; a call's first allele is at its even bit. Sets *bad if a
 * fill comes before an allele. */
BED_INLINE bed_vec bed_formula(bed_vec plane0, bed_vec plane7, bed_vec *bad)
{
    const bed_vec even = (bed_vec){} + 0x5555555555555555u;
    bed_vec a = plane0 & even, b = plane0 >> 1 & even;
    bed_vec na = plane7 & even, nb = plane7 >> 1 & even;
    bed_vec fill = nb & ~b;
    bed_vec missing, hi, lo;

    *bad |= na & ~a & ~fill;
    b = (fill & a) | b;
    missing = na | (nb & ~fill);
    hi = ~missing & ~(a & b) & even;
    lo = missing | (~(a | b) & even);
    return lo | hi << 1;
}

/* Codes up to 32 calls from any bit on, with one word of every plane. Reads 9 bytes a plane. */
BED_INLINE uint64_t bed_word(const struct planes *in, uint64_t bit, unsigned ploidy,
                             uint64_t ncalls, uint64_t *bad)
{
    uint64_t mask = bed_low_bits(ncalls * 2);
    uint64_t plane0 = bed_bits_at(in, 0, bit), plane7 = bed_bits_at(in, 7, bit);
    uint64_t differ = 0;
    bed_vec disorder = {0}, codes;

    for (unsigned p = 1; p < 7; p++)
        differ |= bed_bits_at(in, p, bit) ^ plane7;
    *bad |= differ & bed_low_bits(ncalls * ploidy);
    if (ploidy == 1) {
        /* A haploid call is coded as the same allele twice; −2 twice is missing, which is right for
         * −2. */
        plane0 = bed_spread(plane0) * 3;
        plane7 = bed_spread(plane7) * 3;
    }
    codes = bed_formula((bed_vec){plane0}, (bed_vec){plane7}, &disorder);
    *bad |= disorder[0] & mask;
    return codes[0] & mask;
}

/* Spreads the bits in the low half of each lane to every second bit. */
BED_INLINE bed_vec bed_spread_vec(bed_vec x)
{
    x &= 0xffffffff;
    x = (x | x << 16) & 0x0000ffff0000ffff;
    x = (x | x << 8) & 0x00ff00ff00ff00ff;
    x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
    x = (x | x << 2) & 0x3333333333333333;
    return (x | x << 1) & 0x5555555555555555;
}

/* The codes of haploid calls have twice as many bits as a plane. */
BED_INLINE void bed_store_haploid(bed_vec plane0, bed_vec plane7, uint8_t *out, bed_vec *bad)
{
    for (unsigned half = 0; half < 2; half++) {
        bed_vec a = bed_spread_vec(plane0 >> 32 * half);
        bed_vec n = bed_spread_vec(plane7 >> 32 * half);
        bed_vec codes = bed_formula(a | a << 1, n | n << 1, bad);

        for (unsigned i = 0; i < BED_VECTOR_NBYTES / 8; i++)
            bed_store_word(out + 16 * i + 8 * half, codes[i]);
    }
}

/* Codes one vector of every plane. Of planes 1 to 7, it also checks the byte behind. */
BED_INLINE void bed_step(const struct planes *in, uint64_t bit, unsigned ploidy, uint8_t *out,
                         bed_vec *bad)
{
    const uint8_t *at = in->at + bit / 8;
    unsigned off = bit % 8;
    bed_vec plane0 = bed_load(at) >> off | bed_load(at + 1) << (8 - off);
    bed_vec plane7 = {0}, next7 = {0}, differ = {0};

    if (in->n == PLANES_ALL) {
        next7 = bed_load(at + 7 * in->nbytes + 1);
        plane7 = bed_load(at + 7 * in->nbytes) >> off | next7 << (8 - off);
    }
    for (unsigned p = 1; p < (in->n == PLANES_ALL ? 7 : PLANES_LOW); p++)
        differ |= bed_load(at + p * in->nbytes + 1) ^ next7;
    if (ploidy == 2)
        *(bed_vec_any *)out = bed_formula(plane0, plane7, bad);
    else
        bed_store_haploid(plane0, plane7, out, bad);
    *bad |= differ;
}

/* Codes whole vectors of a run that starts at a byte of the output. The last vector overlaps the
 * one before, so that at most a single word is left. Returns the number of calls done, a multiple
 * of four. */
BED_INLINE uint64_t bed_steps(const struct planes *in, uint64_t bit, unsigned ploidy,
                              uint64_t ncalls, uint8_t *out, uint64_t *bad)
{
    const uint64_t byte = 8 / ploidy, step = BED_VECTOR_NBYTES * byte; /* in calls */
    bed_vec vec_bad = {0};
    uint64_t done = 0;

    if (ncalls < step + byte)
        return 0;
    bed_word(in, bit, ploidy, byte, bad);
    for (; ncalls - done >= step + byte; done += step)
        bed_step(in, bit + done * ploidy, ploidy, out + done / 4, &vec_bad);
    if (ncalls - done > 32) {
        done = (ncalls - step - byte) / byte * byte;
        bed_step(in, bit + done * ploidy, ploidy, out + done / 4, &vec_bad);
        done += step;
    }
    for (unsigned i = 0; i < BED_VECTOR_NBYTES / 8; i++)
        *bad |= vec_bad[i];
    return done;
}

/* Instantiated once for each number of planes, which is then a constant. */
BED_INLINE bool bed_run(const struct planes *in, uint64_t first, unsigned ploidy, uint64_t ncalls,
                        unsigned shift, bool last, uint8_t *out)
{
    uint64_t bad = 0, done = 0;

    if (shift != 0 && ncalls != 0) {
        done = ncalls < 4 - shift ? ncalls : 4 - shift;
        bed_complete(out++, bed_word(in, first, ploidy, done, &bad) << 2 * shift);
        first += done * ploidy;
        ncalls -= done;
    }
    if (ploidy == 2)
        done = bed_steps(in, first, 2, ncalls, out, &bad);
    else
        done = bed_steps(in, first, 1, ncalls, out, &bad);
    for (; ncalls - done >= 32; done += 32)
        bed_store_word(out + done / 4, bed_word(in, first + done * ploidy, ploidy, 32, &bad));
    if (ncalls != done)
        bed_store_rest(out + done / 4,
                       bed_word(in, first + done * ploidy, ploidy, ncalls - done, &bad),
                       ncalls - done, last);
    return bad == 0;
}

BED_TARGET bool BED_KERNEL(const struct planes *planes, uint64_t first, unsigned ploidy,
                           uint64_t ncalls, unsigned shift, bool last, uint8_t *out)
{
    const struct planes all = {planes->at, planes->nbytes, PLANES_ALL};
    const struct planes low = {planes->at, planes->nbytes, PLANES_LOW};

    return planes->n == PLANES_ALL ? bed_run(&all, first, ploidy, ncalls, shift, last, out)
                                   : bed_run(&low, first, ploidy, ncalls, shift, last, out);
}
