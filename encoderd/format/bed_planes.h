/*
 * bed_planes: the plane form of the .bed kernel, written once for any vector width.
 *
 * A template: define BED_KERNEL (the function's name), BED_VECTOR_NBYTES (16, 32, 64) and BED_TARGET (a
 * function attribute, or nothing), then include it. The vectors are the compilers' own, so one formula
 * serves every instruction set.
 *
 * A vector takes its bits from any offset within a byte: with v0 read at byte q and v1 at byte q + 1,
 * v0 >> off | v1 << (8 − off) is right for every off from 0 to 7. Only planes 0 and 7 need that.
 * Validity of planes 1 to 6 is seen in v1 alone: the loop keeps four calls behind the run's end, so
 * that every bit of v1 belongs to the run, and the bits before the first v1 are looked at separately.
 */
#include "encoderd/format/bed.h"
#include "encoderd/format/bed_codes.h"

typedef uint64_t bed_vec __attribute__((vector_size(BED_VECTOR_NBYTES)));
typedef uint64_t bed_vec_any __attribute__((vector_size(BED_VECTOR_NBYTES), aligned(1), may_alias));

#define BED_STEP   (BED_VECTOR_NBYTES * 4ul) /* calls of a vector */
#define BED_INLINE BED_TARGET static inline __attribute__((always_inline))

BED_INLINE bed_vec bed_load(const uint8_t *at)
{
    return *(const bed_vec_any *)at;
}

/* 2-bit codes of planes 0 and 7, a call's first allele in its even bit. A fill before an allele is
 * noted in *bad. */
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

/* Up to 32 calls from any bit, one word of every plane. Reads 9 bytes a plane. */
BED_INLINE uint64_t bed_word(const struct bed_planes *in, uint64_t bit, unsigned ploidy,
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
        /* A haploid call is the same allele twice; −2 twice is missing, as it is due. */
        plane0 = bed_spread(plane0) * 3;
        plane7 = bed_spread(plane7) * 3;
    }
    codes = bed_formula((bed_vec){plane0}, (bed_vec){plane7}, &disorder);
    *bad |= disorder[0] & mask;
    return codes[0] & mask;
}

/* BED_STEP diploid calls; of the next four calls planes 1 to 7 are looked at too. */
BED_INLINE void bed_step(const struct bed_planes *in, uint64_t bit, uint8_t *out, bed_vec *bad)
{
    const uint8_t *at = in->at + bit / 8;
    unsigned off = bit % 8;
    bed_vec next7 = bed_load(at + 7 * in->nbytes + 1);
    bed_vec plane0 = bed_load(at) >> off | bed_load(at + 1) << (8 - off);
    bed_vec plane7 = bed_load(at + 7 * in->nbytes) >> off | next7 << (8 - off);
    bed_vec differ = {0};

    for (unsigned p = 1; p < 7; p++)
        differ |= bed_load(at + p * in->nbytes + 1) ^ next7;
    *(bed_vec_any *)out = bed_formula(plane0, plane7, bad);
    *bad |= differ;
}

/* Whole vectors of a byte-aligned diploid run, the last one overlapping the one before, so that a
 * single word is left to do. Returns the calls done, a multiple of four. */
BED_INLINE uint64_t bed_steps(const struct bed_planes *in, uint64_t bit, uint64_t ncalls,
                              uint8_t *out, uint64_t *bad)
{
    bed_vec vec_bad = {0};
    uint64_t done = 0;

    if (ncalls < BED_STEP + 4)
        return 0;
    bed_word(in, bit, 2, 4, bad);
    for (; ncalls - done >= BED_STEP + 4; done += BED_STEP)
        bed_step(in, bit + 2 * done, out + done / 4, &vec_bad);
    if (ncalls - done > 32) {
        done = (ncalls - BED_STEP - 4) & ~(uint64_t)3;
        bed_step(in, bit + 2 * done, out + done / 4, &vec_bad);
        done += BED_STEP;
    }
    for (unsigned i = 0; i < BED_VECTOR_NBYTES / 8; i++)
        *bad |= vec_bad[i];
    return done;
}

BED_TARGET bool BED_KERNEL(const uint8_t *planes, uint64_t plane_nbytes, uint64_t first,
                           unsigned ploidy, uint64_t ncalls, unsigned shift, bool last,
                           uint8_t *out)
{
    const struct bed_planes in = {planes, plane_nbytes};
    uint64_t bad = 0, done = 0;

    if (shift != 0 && ncalls != 0) {
        done = ncalls < 4 - shift ? ncalls : 4 - shift;
        bed_complete(out++, bed_word(&in, first, ploidy, done, &bad) << 2 * shift);
        first += done * ploidy;
        ncalls -= done;
    }
    done = ploidy == 2 ? bed_steps(&in, first, ncalls, out, &bad) : 0;
    for (; ncalls - done >= 32; done += 32)
        bed_store_word(out + done / 4, bed_word(&in, first + done * ploidy, ploidy, 32, &bad));
    if (ncalls != done)
        bed_store_rest(out + done / 4,
                       bed_word(&in, first + done * ploidy, ploidy, ncalls - done, &bad),
                       ncalls - done, last);
    return bad == 0;
}
