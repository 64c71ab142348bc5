/*
 * bgen_planes: the plane form of the BGEN kernel, 64 alleles at a time.
 *
 * A template: define BGEN_KERNEL (the function's name), BGEN_TARGET (a function attribute, or nothing),
 * BGEN_EXPAND64 (bits of a word to 64 bytes of 0 or 255) and BGEN_EVEN_BITS (every other bit of a word, from
 * bit 0 on, to its low half), then include it. What is to be done is the same for every machine; these
 * two steps are where instruction sets differ.
 */
#include "encoderd/format/bed_codes.h"
#include "encoderd/format/bgen_calls.h"

#define BGEN_INLINE BGEN_TARGET static inline __attribute__((always_inline))

/* Up to 64 alleles as bits. A diploid call's bits are a pair, the first allele's the even one; missing
 * and haploid are set at both. */
struct bgen_word {
    uint64_t values, missing, haploid;
};

/* Reads 9 bytes a plane. */
BGEN_INLINE struct bgen_word bgen_load(const struct bed_planes *in, uint64_t bit, unsigned ploidy,
                                       bool unphased, uint64_t nbits, uint64_t *bad)
{
    const uint64_t even = 0x5555555555555555;
    const uint64_t p0 = bed_bits_at(in, 0, bit), p7 = bed_bits_at(in, 7, bit);
    const uint64_t ref = ~p0 & ~p7, fill = p7 & ~p0, no_call = p7 & p0;
    struct bgen_word word = {.values = ref, .missing = no_call};
    uint64_t wrong = ploidy == 2 ? fill & even : fill;

    for (unsigned p = 1; p < 7; p++)
        wrong |= bed_bits_at(in, p, bit) ^ p7;
    *bad |= wrong & bed_low_bits(nbits);
    if (ploidy == 1)
        return word;
    word.missing = (no_call | no_call >> 1) & even;
    word.missing |= word.missing << 1;
    word.haploid = fill >> 1 & even;
    word.haploid |= word.haploid << 1;
    word.values = ref & ~word.missing;
    if (unphased) {
        const uint64_t x = word.values & even, y = word.values >> 1 & even;

        word.values = (x & y) | (x ^ y) << 1;
    }
    return word;
}

/* Ploidy bytes of 32 diploid-axis calls. */
BGEN_INLINE void bgen_ploidies(const struct bgen_word *word, uint8_t *out)
{
    uint8_t bytes[64];

    memset(out, 2, 32);
    if ((word->missing | word->haploid) == 0)
        return;
    BGEN_EXPAND64(BGEN_EVEN_BITS(word->missing) | BGEN_EVEN_BITS(word->haploid) << 32, bytes);
    for (unsigned i = 0; i < 32; i++)
        out[i] = (uint8_t)((bytes[i] & BGEN_MISSING) | (2u - (bytes[32 + i] & 1u)));
}

/* Of 64 haploid-axis calls. */
BGEN_INLINE void bgen_ploidies1(const struct bgen_word *word, uint8_t *out)
{
    memset(out, 1, 64);
    if (word->missing == 0)
        return;
    BGEN_EXPAND64(word->missing, out);
    for (unsigned i = 0; i < 64; i++)
        out[i] = (out[i] & BGEN_MISSING) | 1;
}

BGEN_INLINE void bgen_store(const struct bgen_word *word, unsigned ploidy, uint8_t *ploidies,
                            uint8_t *values)
{
    BGEN_EXPAND64(word->values, values);
    if (ploidy == 2)
        bgen_ploidies(word, ploidies);
    else
        bgen_ploidies1(word, ploidies);
}

BGEN_INLINE bool bgen_run(const struct bed_planes *in, uint64_t bit, unsigned ploidy,
                          uint64_t ncalls, const struct bgen_out *out)
{
    const uint64_t step = 64 / ploidy;
    uint8_t ploidies[64], values[64];
    uint64_t bad = 0, done = 0;
    struct bgen_word word;

    for (; ncalls - done >= step; done += step) {
        word = bgen_load(in, bit + done * ploidy, ploidy, out->unphased, 64, &bad);
        bgen_store(&word, ploidy, out->ploidies + done, out->values + done * ploidy);
    }
    if (done < ncalls) {
        const uint64_t rest = ncalls - done;

        word = bgen_load(in, bit + done * ploidy, ploidy, out->unphased, rest * ploidy, &bad);
        bgen_store(&word, ploidy, ploidies, values);
        memcpy(out->ploidies + done, ploidies, rest);
        memcpy(out->values + done * ploidy, values, rest * ploidy);
    }
    return bad == 0;
}

BGEN_TARGET bool BGEN_KERNEL(const uint8_t *planes, uint64_t plane_nbytes, uint64_t first,
                             unsigned ploidy, uint64_t ncalls, const struct bgen_out *out)
{
    const struct bed_planes in = {planes, plane_nbytes};

    return ploidy == 2 ? bgen_run(&in, first, 2, ncalls, out)
                       : bgen_run(&in, first, 1, ncalls, out);
}
