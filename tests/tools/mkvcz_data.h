/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkvcz_data: the records that mkvcz writes, a function of the seed and of where they lie.
 *
 * Sites are made one by one from their number. Genotypes are made in tiles of 100 variants × 2000
 * samples, each with a random stream of its own; so the same seed gives the same calls however the
 * store is chunked, and chunks can be filled by several threads.
 */
#ifndef VCZFS_TESTS_MKVCZ_DATA_H
#define VCZFS_TESTS_MKVCZ_DATA_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TILE_VARIANTS    100
#define TILE_SAMPLES     2000
#define TILE_WORDS       (TILE_SAMPLES * 2 / 64 + 1)
#define POSITION_STEP    50
#define FIRST_POSITION   100
#define SITE_ALLELES_MAX 4
#define NFILTERS         3

struct data_options {
    uint64_t nsamples, nvariants, ncontigs, seed;
    unsigned ploidy;
    bool dense;
    double missing, half_missing, haploid, phased, multiallelic;
};

/* One stream of random numbers (splitmix64). */
struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* In [0, 1). */
static inline double rng_unit(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

enum stream { STREAM_SITE = 1, STREAM_ROW, STREAM_TILE, STREAM_SAMPLE };

/* The stream of one thing of one kind. */
static inline struct rng rng_of(const struct data_options *o, enum stream kind, uint64_t i,
                                uint64_t j)
{
    struct rng rng = {o->seed * 0x2545f4914f6cdd1d + kind};

    rng.state = rng_next(&rng) ^ i;
    rng.state = rng_next(&rng) ^ j;
    return rng;
}

/* 64 trials with chance p, decided bit by bit until each is. Whole numbers and no libm: the same
 * everywhere. */
static inline uint64_t rng_trials(struct rng *rng, double p)
{
    uint64_t chance = p >= 1 ? UINT64_C(1) << 32 : (uint64_t)(p * 0x1p32);
    uint64_t hits = 0, open = ~UINT64_C(0);

    if (chance >> 32)
        return open;
    for (unsigned bit = 32; bit-- > 0 && open != 0;) {
        uint64_t r = rng_next(rng);

        if (chance >> bit & 1) {
            hits |= open & ~r;
            open &= r;
        } else {
            open &= ~r;
        }
    }
    return hits;
}

struct site {
    uint64_t contig, position; /* 1-based */
    char id[32];               /* "." where missing */
    char alleles[SITE_ALLELES_MAX][16];
    unsigned nalleles;
    float quality; /* NaN: missing */
    bool filters[NFILTERS];
    bool phased;
};

static const char *const filter_names[NFILTERS] = {"PASS", "q10", "s50"};

static inline uint64_t contig_first_variant(const struct data_options *o, uint64_t contig)
{
    uint64_t each = (o->nvariants + o->ncontigs - 1) / o->ncontigs;
    uint64_t first = contig * each;

    return first < o->nvariants ? first : o->nvariants;
}

static inline uint64_t contig_length(const struct data_options *o, uint64_t contig)
{
    uint64_t n = contig_first_variant(o, contig + 1) - contig_first_variant(o, contig);

    return FIRST_POSITION + (n + 1) * POSITION_STEP + 16;
}

static inline void contig_name(uint64_t contig, char *out, size_t size)
{
    snprintf(out, size, contig < 22 ? "%llu" : "ctg%llu", (unsigned long long)contig + 1);
}

static inline void site_alleles(const struct data_options *o, struct rng *rng, struct site *s)
{
    static const char bases[] = "ACGT";
    unsigned ref = (unsigned)(rng_next(rng) % 4);
    unsigned indel = (unsigned)(rng_next(rng) % 16);
    unsigned longer = 2 + (unsigned)(rng_next(rng) % 6);

    s->nalleles = rng_unit(rng) < o->multiallelic ? 3 + (unsigned)(rng_next(rng) % 2) : 2;
    for (unsigned i = 0; i < s->nalleles; i++)
        s->alleles[i][0] = bases[(ref + i) % 4];
    if (indel > 1)
        return;
    /* A deletion or an insertion begins with the reference's first base, and is biallelic. */
    for (unsigned i = 2; i < s->nalleles; i++)
        s->alleles[i][0] = '\0';
    s->nalleles = 2;
    s->alleles[1][0] = bases[ref];
    for (unsigned i = 1; i < longer; i++)
        s->alleles[indel][i] = bases[rng_next(rng) % 4];
}

static inline void site_make(const struct data_options *o, uint64_t variant, struct site *s)
{
    struct rng rng = rng_of(o, STREAM_SITE, variant, 0);
    uint64_t each = (o->nvariants + o->ncontigs - 1) / o->ncontigs;
    unsigned fate;

    memset(s, 0, sizeof(*s));
    s->contig = variant / each;
    s->position = FIRST_POSITION + variant % each * POSITION_STEP + rng_next(&rng) % POSITION_STEP;
    site_alleles(o, &rng, s);
    if (rng_next(&rng) % 16 == 0)
        snprintf(s->id, sizeof(s->id), ".");
    else
        snprintf(s->id, sizeof(s->id), "rs%llu", (unsigned long long)variant + 1);
    s->quality = rng_next(&rng) % 50 == 0 ? NAN : (float)(rng_next(&rng) % 1000) / 10;
    fate = (unsigned)(rng_next(&rng) % 16);
    s->filters[0] = fate > 2;
    s->filters[1] = fate == 0 || fate == 2;
    s->filters[2] = fate == 1 || fate == 2;
    s->phased = rng_unit(&rng) < o->phased;
}

/* Calls of one tile: alleles [variant][sample][ploidy], phase [variant][sample]. */
struct tile {
    uint64_t nvariants, nsamples; /* less than a whole tile at the store's edges */
    uint64_t bits[TILE_VARIANTS][TILE_WORDS];
    int8_t alleles[TILE_VARIANTS][TILE_SAMPLES * 2 + 64];
    uint8_t phased[TILE_VARIANTS][TILE_SAMPLES];
};

/* How a row comes about, the same in every tile of it. */
struct row_recipe {
    unsigned copies; /* so many rows back; 0: none */
    double p;        /* chance of a flip, from the row copied or from all reference */
    bool flipped;    /* the reference is the rare allele */
};

static inline struct row_recipe row_recipe(const struct data_options *o, uint64_t variant)
{
    struct rng rng = rng_of(o, STREAM_ROW, variant, 0);
    struct row_recipe r = {0};
    uint64_t above = variant % TILE_VARIANTS;
    double u = rng_unit(&rng);

    if (above != 0 && rng_unit(&rng) < 0.5) {
        r.copies = 1 + (unsigned)(rng_next(&rng) % (above < 4 ? above : 4));
        r.p = o->dense ? 0.02 : 0.004;
        return r;
    }
    /* Rare alleles are the most, each halving as frequent as the next; the dense kind has more
     * common ones. */
    r.p = 0.5 * u * (o->dense ? u : 1);
    if (!o->dense)
        r.p = (0.25 + u / 4) / (double)(1u << rng_next(&rng) % 12);
    r.flipped = rng_next(&rng) % 10 == 0;
    return r;
}

static inline void tile_bits(const struct data_options *o, struct rng *rng, uint64_t variant,
                             struct tile *tile)
{
    for (uint64_t row = 0; row < tile->nvariants; row++) {
        struct row_recipe r = row_recipe(o, variant + row);

        if (r.copies)
            memcpy(tile->bits[row], tile->bits[row - r.copies], sizeof(tile->bits[row]));
        else
            memset(tile->bits[row], r.flipped ? 0xff : 0, sizeof(tile->bits[row]));
        for (uint64_t i = 0; i < TILE_WORDS; i++)
            tile->bits[row][i] ^= rng_trials(rng, r.p);
    }
}

/* Eight bits to eight bytes of 0 or 1. */
static inline uint64_t bits_to_bytes(unsigned bits)
{
    uint64_t each = bits * 0x0101010101010101u & 0x8040201008040201u;

    return (each + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u;
}

static inline void row_expand(const uint64_t *bits, uint64_t nalleles, int8_t *alleles)
{
    for (uint64_t i = 0; i < nalleles; i += 8) {
        uint64_t bytes = bits_to_bytes((unsigned)(bits[i / 64] >> i % 64 & 0xff));

        memcpy(alleles + i, &bytes, 8);
    }
}

/* Some of the alternate alleles become the second, third, ... of a multi-allelic site. */
static inline void row_more_alleles(struct rng *rng, unsigned nalleles, uint64_t n, int8_t *alleles)
{
    for (uint64_t i = 0; i < n; i++)
        if (alleles[i] == 1)
            alleles[i] = (int8_t)(1 + rng_next(rng) % (nalleles - 1));
}

static inline void row_missing(const struct data_options *o, struct rng *rng, uint64_t nsamples,
                               int8_t *alleles)
{
    unsigned p = o->ploidy;

    for (uint64_t begin = 0; begin < nsamples; begin += 64) {
        uint64_t whole = rng_trials(rng, o->missing);
        uint64_t half = p == 2 ? rng_trials(rng, o->half_missing) : 0;

        for (uint64_t i = begin; i < begin + 64 && i < nsamples; i++, whole >>= 1, half >>= 1) {
            if (half & 1)
                alleles[i * 2 + rng_next(rng) % 2] = -1;
            if (whole & 1)
                memset(alleles + i * p, -1, p);
        }
    }
}

static inline bool sample_is_haploid(const struct data_options *o, uint64_t sample)
{
    struct rng rng = rng_of(o, STREAM_SAMPLE, sample, 0);

    return o->ploidy == 2 && o->haploid > 0 && rng_unit(&rng) < o->haploid;
}

/* A site that is not phased throughout has no phased call, or now and then some. */
static inline void row_phase(struct rng *rng, bool phased, uint64_t nsamples, uint8_t *out)
{
    memset(out, phased, nsamples);
    if (phased || rng_next(rng) % 8 != 0)
        return;
    for (uint64_t i = 0; i < nsamples; i++)
        out[i] = rng_next(rng) % 2;
}

/* The tile whose first variant and sample are tile numbers tv, ts. */
static inline void tile_make(const struct data_options *o, uint64_t tv, uint64_t ts,
                             struct tile *tile)
{
    struct rng rng = rng_of(o, STREAM_TILE, tv, ts);
    uint64_t variant = tv * TILE_VARIANTS, sample = ts * TILE_SAMPLES;

    tile->nvariants =
        o->nvariants - variant < TILE_VARIANTS ? o->nvariants - variant : TILE_VARIANTS;
    tile->nsamples = o->nsamples - sample < TILE_SAMPLES ? o->nsamples - sample : TILE_SAMPLES;
    tile_bits(o, &rng, variant, tile);
    for (uint64_t row = 0; row < tile->nvariants; row++) {
        int8_t *alleles = tile->alleles[row];
        struct site site;

        site_make(o, variant + row, &site);
        row_expand(tile->bits[row], tile->nsamples * o->ploidy, alleles);
        if (site.nalleles > 2)
            row_more_alleles(&rng, site.nalleles, tile->nsamples * o->ploidy, alleles);
        if (o->missing > 0 || o->half_missing > 0)
            row_missing(o, &rng, tile->nsamples, alleles);
        row_phase(&rng, site.phased, tile->nsamples, tile->phased[row]);
    }
    for (uint64_t i = 0; i < tile->nsamples; i++)
        if (sample_is_haploid(o, sample + i))
            for (uint64_t row = 0; row < tile->nvariants; row++)
                tile->alleles[row][2 * i + 1] = -2;
}

#endif
