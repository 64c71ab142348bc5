/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen_planes: the fast BGEN kernels, written once for any vector width.
 *
 * A template: define BGEN_PLANES and BGEN_ALLELES (the functions' names), BGEN_TARGET (a function
 * attribute, or nothing), BGEN_VECTOR_NBYTES (16, 32, 64) and the steps in which instruction sets
 * differ, then include it:
 *
 *     BGEN_EXPAND64(bits, out)   bits of a word to 64 bytes of 0 or 255
 *     BGEN_EVEN_BITS(bits)       every second bit of a word, from bit 0 on, to its low half
 *     BGEN_COUNT(bits)           the number of 1 bits
 *     BGEN_ALLELES64(at, p0, p7, wrong)
 *                                64 alleles to their planes 0 and 7; wrong: one is out of range
 *     bgen_lanes, BGEN_WEIGH(bits, lanes), BGEN_LANES_SUM(lanes)
 *                                add up the places of a word's 1 bits, in a vector or a number
 *
 * Calls are processed as words of 64 alleles. These are made from planes, a vector at a time (as in
 * bed_planes.h, whose comment says why the loop ends a byte before the run's end), or from alleles.
 */
#include "encoderd/format/bed_codes.h"
#include "encoderd/format/bgen_calls.h"

#define BGEN_INLINE       BGEN_TARGET static inline __attribute__((always_inline))
#define BGEN_VECTOR_WORDS (BGEN_VECTOR_NBYTES / 8)

typedef uint64_t bgen_vec __attribute__((vector_size(BGEN_VECTOR_NBYTES)));
typedef uint64_t bgen_vec_any
    __attribute__((vector_size(BGEN_VECTOR_NBYTES), aligned(1), may_alias));

/* Alleles as bits. A diploid call has a pair of bits, the first allele at the even one; missing and
 * haploid are set at the even bit. */
struct bgen_vecs {
    bgen_vec values, missing, haploid, wrong;
};
struct bgen_word {
    uint64_t values, missing, haploid;
};

/* A run in progress, with the sums so far. */
struct bgen_run {
    struct bgen_out out;    /* a copy: the compiler knows that no byte that is written changes it */
    unsigned axis, nvalues; /* alleles and value bytes of a call */
    struct bgen_sums sums;  /* but for the lanes */
    bgen_lanes set, missing;
};

BGEN_INLINE bgen_vec bgen_load(const uint8_t *at)
{
    return *(const bgen_vec_any *)at;
}

/* Makes bits from planes 0 and 7. `wrong` is set only if a fill comes before an allele; the caller
 * checks the range of the alleles. */
BGEN_INLINE struct bgen_vecs bgen_formula(bgen_vec p0, bgen_vec p7, const struct bgen_run *run)
{
    const bgen_vec even = (bgen_vec){} + 0x5555555555555555u;
    const bgen_vec ref = ~(p0 | p7), fill = p7 & ~p0, one = fill >> 1;
    struct bgen_vecs vecs = {.values = ref, .missing = p7};
    bgen_vec first, second;

    if (run->axis == 1)
        return vecs;
    vecs.wrong = fill & ~one & even;
    vecs.missing = (p7 | (p7 & p0) >> 1) & even;
    first = ref & ~vecs.missing & even;
    second = ref >> 1 & ~vecs.missing & even;
    if (run->out.haploid)
        vecs.haploid = one & even;
    else
        second |= one & first;
    vecs.values = run->out.phased ? first | second << 1 : (first & second) | (first ^ second) << 1;
    return vecs;
}

/* Writes ploidy bytes of 32 calls of two values, some of them missing or haploid; the bits are in
 * the low half. */
BGEN_INLINE void bgen_ploidies2(uint64_t missing, uint64_t haploid, uint8_t *out)
{
    uint8_t bytes[64];

    BGEN_EXPAND64(missing | haploid << 32, bytes);
    for (unsigned i = 0; i < 32; i++)
        out[i] = (uint8_t)((bytes[i] & BGEN_MISSING) | (2u - (bytes[32 + i] & 1u)));
}

/* Writes ploidy bytes of 64 calls of one value. */
BGEN_INLINE void bgen_ploidies1(uint64_t missing, uint8_t *out)
{
    BGEN_EXPAND64(missing, out);
    for (unsigned i = 0; i < 64; i++)
        out[i] = (out[i] & BGEN_MISSING) | 1;
}

/* Adds the 1 bits in `bits` to the sums; the first bit has index `index` in the run. */
BGEN_INLINE void bgen_add(uint64_t bits, uint64_t index, uint64_t *set, uint64_t *weighted,
                          bgen_lanes *lanes)
{
    const uint64_t n = BGEN_COUNT(bits);

    *set += n;
    *weighted += n * index;
    BGEN_WEIGH(bits, lanes);
}

/* Writes 64 values, the first at index `at` of the run. Values whose bit in `fresh` is 0 were
 * counted before. */
BGEN_INLINE void bgen_put(struct bgen_run *run, const struct bgen_word *word, uint64_t at,
                          uint64_t fresh, uint8_t *ploidies, uint8_t *values)
{
    const uint64_t even = 0x5555555555555555;

    BGEN_EXPAND64(word->values, values);
    bgen_add(word->values & fresh, at, &run->sums.set, &run->sums.set_weighted, &run->set);
    if ((word->missing | word->haploid) == 0) {
        memset(ploidies, (int)run->nvalues, 64 / run->nvalues);
    } else if (run->nvalues == 1) {
        bgen_ploidies1(word->missing, ploidies);
        bgen_add(word->missing & fresh, at, &run->sums.missing, &run->sums.missing_weighted,
                 &run->missing);
    } else {
        bgen_ploidies2(BGEN_EVEN_BITS(word->missing), BGEN_EVEN_BITS(word->haploid), ploidies);
        bgen_add(BGEN_EVEN_BITS(word->missing & fresh & even), at / 2, &run->sums.missing,
                 &run->sums.missing_weighted, &run->missing);
        run->sums.haploid += BGEN_COUNT(word->haploid & fresh & even);
    }
}

/* Writes the last 1 to 64 values of a run, and no byte behind them. */
BGEN_INLINE void bgen_put_rest(struct bgen_run *run, const struct bgen_word *word, uint64_t at,
                               uint64_t n)
{
    uint8_t ploidies[64], values[64];

    bgen_put(run, word, at, bed_low_bits(n), ploidies, values);
    memcpy(run->out.ploidies + at / run->nvalues, ploidies, n / run->nvalues);
    memcpy(run->out.values + at, values, n);
}

BGEN_INLINE void bgen_put_values(struct bgen_run *run, const struct bgen_word *word, uint64_t at,
                                 uint64_t n, uint64_t fresh)
{
    if (n < 64)
        bgen_put_rest(run, word, at, n);
    else
        bgen_put(run, word, at, fresh, run->out.ploidies + at / run->nvalues, run->out.values + at);
}

/* Half of a word on an axis of 1, with each allele twice. */
BGEN_INLINE struct bgen_word bgen_twice(const struct bgen_word *word, unsigned half, bool phased)
{
    const uint64_t values = bed_spread(word->values >> 32 * half);

    return (struct bgen_word){.values = phased ? values * 3 : values,
                              .missing = bed_spread(word->missing >> 32 * half)};
}

/* Writes a word's first n alleles, the first at index `at`. If n < 64, they are the run's last. */
BGEN_INLINE void bgen_put_word(struct bgen_run *run, const struct bgen_word *word, uint64_t at,
                               uint64_t n, uint64_t fresh)
{
    if (run->axis == run->nvalues) {
        bgen_put_values(run, word, at, n, fresh);
        return;
    }
    for (unsigned half = 0; half < 2 && n > 32 * half; half++) {
        const struct bgen_word twice = bgen_twice(word, half, run->out.phased);
        const uint64_t ncalls = half == 0 && n > 32 ? 32 : n - 32 * half;

        bgen_put_values(run, &twice, 2 * at + 64 * half, 2 * ncalls,
                        bed_spread(fresh >> 32 * half) * 3);
    }
}

BGEN_INLINE struct bgen_word bgen_word_of(const struct bgen_vecs *vecs, unsigned i)
{
    return (struct bgen_word){vecs->values[i], vecs->missing[i], vecs->haploid[i]};
}

/* Makes a word of up to 64 alleles from any bit on. Reads 9 bytes a plane. */
BGEN_INLINE struct bgen_word bgen_word_at(const struct planes *in, uint64_t bit,
                                          const struct bgen_run *run, uint64_t nbits,
                                          uint64_t *wrong)
{
    const uint64_t p0 = bed_bits_at(in, 0, bit), p7 = bed_bits_at(in, 7, bit);
    const struct bgen_vecs vecs = bgen_formula((bgen_vec){p0}, (bgen_vec){p7}, run);
    uint64_t differ = vecs.wrong[0];
    struct bgen_word word = bgen_word_of(&vecs, 0);

    for (unsigned p = 1; p < 7; p++)
        differ |= bed_bits_at(in, p, bit) ^ p7;
    *wrong |= differ & bed_low_bits(nbits);
    word.missing &= bed_low_bits(nbits);
    word.haploid &= bed_low_bits(nbits);
    return word;
}

/* Writes one vector of every plane. Of planes 1 to 7, it also checks the byte behind. The first
 * `skip` bits were written before. */
BGEN_INLINE void bgen_step(struct bgen_run *run, const struct planes *in, uint64_t bit, uint64_t at,
                           uint64_t skip, bgen_vec *wrong)
{
    const uint8_t *from = in->at + bit / 8;
    const unsigned off = bit % 8;
    const bgen_vec p0 = bgen_load(from) >> off | bgen_load(from + 1) << (8 - off);
    bgen_vec p7 = {0}, next7 = {0};
    struct bgen_vecs vecs;

    if (in->n == PLANES_ALL) {
        next7 = bgen_load(from + 7 * in->nbytes + 1);
        p7 = bgen_load(from + 7 * in->nbytes) >> off | next7 << (8 - off);
    }
    vecs = bgen_formula(p0, p7, run);
    *wrong |= vecs.wrong;
    for (unsigned p = 1; p < (in->n == PLANES_ALL ? 7 : PLANES_LOW); p++)
        *wrong |= bgen_load(from + p * in->nbytes + 1) ^ next7;
    for (unsigned i = 0; i < BGEN_VECTOR_WORDS; i++) {
        const uint64_t begin = 64 * (uint64_t)i;
        const struct bgen_word word = bgen_word_of(&vecs, i);

        if (begin + 64 > skip)
            bgen_put_word(run, &word, at + begin, 64,
                          skip > begin ? ~bed_low_bits(skip - begin) : ~UINT64_C(0));
    }
}

/* Writes whole vectors of a run of nbits alleles. The last vector overlaps the one before, so that
 * at most a single word is left. Returns the number of alleles done. */
BGEN_INLINE uint64_t bgen_steps(struct bgen_run *run, const struct planes *in, uint64_t bit,
                                uint64_t nbits, uint64_t *wrong)
{
    const uint64_t step = 8 * BGEN_VECTOR_NBYTES;
    bgen_vec vec_wrong = {0};
    uint64_t done = 0;

    if (nbits < step + 8)
        return 0;
    bgen_word_at(in, bit, run, 8, wrong);
    for (; nbits - done >= step + 8; done += step)
        bgen_step(run, in, bit + done, done, 0, &vec_wrong);
    if (nbits - done > 64) {
        const uint64_t at = (nbits - step - 8) / 8 * 8;

        bgen_step(run, in, bit + at, at, done - at, &vec_wrong);
        done = at + step;
    }
    for (unsigned i = 0; i < BGEN_VECTOR_WORDS; i++)
        *wrong |= vec_wrong[i];
    return done;
}

BGEN_INLINE void bgen_end(const struct bgen_run *run, struct bgen_sums *sums)
{
    sums->set += run->sums.set;
    sums->set_weighted += run->sums.set_weighted + BGEN_LANES_SUM(run->set);
    sums->missing += run->sums.missing;
    sums->missing_weighted += run->sums.missing_weighted + BGEN_LANES_SUM(run->missing);
    sums->haploid += run->sums.haploid;
}

BGEN_INLINE struct bgen_run bgen_begin(unsigned axis, const struct bgen_out *out)
{
    return (struct bgen_run){
        .out = *out, .axis = axis, .nvalues = bgen_nvalues(axis, out->haploid)};
}

BGEN_INLINE bool bgen_planes_run(const struct planes *in, uint64_t bit, unsigned axis,
                                 uint64_t nbits, const struct bgen_out *out, struct bgen_sums *sums)
{
    struct bgen_run run = bgen_begin(axis, out);
    uint64_t wrong = 0;

    for (uint64_t at = bgen_steps(&run, in, bit, nbits, &wrong); at < nbits; at += 64) {
        const uint64_t n = nbits - at < 64 ? nbits - at : 64;
        const struct bgen_word word = bgen_word_at(in, bit + at, &run, n, &wrong);

        bgen_put_word(&run, &word, at, n, ~UINT64_C(0));
    }
    bgen_end(&run, sums);
    return wrong == 0;
}

/* Instantiated once for each number of planes, which is then a constant. */
BGEN_INLINE bool bgen_planes_axis(const struct planes *in, uint64_t first, unsigned axis,
                                  uint64_t ncalls, const struct bgen_out *out,
                                  struct bgen_sums *sums)
{
    return axis == 2 ? bgen_planes_run(in, first, 2, 2 * ncalls, out, sums)
                     : bgen_planes_run(in, first, 1, ncalls, out, sums);
}

BGEN_TARGET bool BGEN_PLANES(const struct planes *planes, uint64_t first, unsigned axis,
                             uint64_t ncalls, const struct bgen_out *out, struct bgen_sums *sums)
{
    const struct planes all = {planes->at, planes->nbytes, PLANES_ALL};
    const struct planes low = {planes->at, planes->nbytes, PLANES_LOW};

    return planes->n == PLANES_ALL ? bgen_planes_axis(&all, first, axis, ncalls, out, sums)
                                   : bgen_planes_axis(&low, first, axis, ncalls, out, sums);
}

/* Makes a word of 64 alleles, one a byte. */
BGEN_INLINE struct bgen_word bgen_word_from(const int8_t *alleles, const struct bgen_run *run,
                                            uint64_t *wrong)
{
    uint64_t p0, p7;
    struct bgen_vecs vecs;

    BGEN_ALLELES64((const uint8_t *)alleles, &p0, &p7, wrong);
    vecs = bgen_formula((bgen_vec){p0}, (bgen_vec){p7}, run);
    *wrong |= vecs.wrong[0];
    return bgen_word_of(&vecs, 0);
}

BGEN_INLINE bool bgen_alleles_run(const int8_t *alleles, unsigned axis, uint64_t n,
                                  const struct bgen_out *out, struct bgen_sums *sums)
{
    struct bgen_run run = bgen_begin(axis, out);
    uint64_t wrong = 0, at = 0;

    for (; n - at >= 64; at += 64) {
        const struct bgen_word word = bgen_word_from(alleles + at, &run, &wrong);

        bgen_put_word(&run, &word, at, 64, ~UINT64_C(0));
    }
    if (at < n) {
        int8_t rest[64] = {0};
        struct bgen_word word;

        memcpy(rest, alleles + at, n - at);
        word = bgen_word_from(rest, &run, &wrong);
        bgen_put_word(&run, &word, at, n - at, ~UINT64_C(0));
    }
    bgen_end(&run, sums);
    return wrong == 0;
}

BGEN_TARGET bool BGEN_ALLELES(const int8_t *alleles, unsigned axis, uint64_t ncalls,
                              const struct bgen_out *out, struct bgen_sums *sums)
{
    return axis == 2 ? bgen_alleles_run(alleles, 2, 2 * ncalls, out, sums)
                     : bgen_alleles_run(alleles, 1, ncalls, out, sums);
}
