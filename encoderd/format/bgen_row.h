/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen_row: a variant's block of fixed size, from its genotype bytes outwards.
 *
 * doc/FORMATS.md, "Out: BGEN". A block is
 *
 *     strings and position | C, D | 78 01 | stored deflate blocks of the probability data | adler32
 *
 * Kernels put the data (D: header, a ploidy byte a sample, values) where it stays, with gaps for
 * the stored blocks' headers after every 65535 bytes, and its sums are kept as it is put: finishing
 * a row writes a few bytes around it and does not look at it again. Two kinds of rows take longer:
 * one that turns out not to be phased is rewritten in place, and one with haploid calls among
 * diploid ones has less data, so that what is left is taken up by empty stored blocks at the
 * stream's start, and by up to four bytes of the padding ID.
 */
#ifndef VCZFS_FORMAT_BGEN_ROW_H
#define VCZFS_FORMAT_BGEN_ROW_H

#include "encoderd/format/bgen_calls.h"
#include "encoderd/vcz/sites.h"

/* What all rows of a view have in common. */
struct bgen_shape {
    uint64_t nsamples;
    unsigned ploidy;  /* of the widest call, whose bytes every call has room for: 1 or 2 */
    uint64_t strings; /* bytes that the five strings of a variant take together */
    char pad;
    bool id_in_varid;
    bool phased;  /* kernels write the phased form */
    bool haploid; /* ploidy is shown as it is stored */
};

#define BGEN_STRINGS_DEFAULT 64
#define BGEN_STRINGS_MAX     (UINT32_MAX / 4)

/* C and D fit 32 bits up to here. */
#define BGEN_SAMPLES_MAX (UINT32_MAX / 4)

uint64_t bgen_row_nbytes(const struct bgen_shape *shape);

/* Where a kernel writes calls from a sample on, as many as lie together. */
struct bgen_piece {
    uint8_t *ploidies, *values;
    uint8_t *second; /* where the second value of a single call goes if it lies apart; else NULL */
    uint64_t ncalls; /* at most 65535 */
};
struct bgen_piece bgen_row_piece(const struct bgen_shape *shape, uint8_t *row, uint64_t sample,
                                 uint64_t ncalls);

/* What the data's bytes add up to, but for those that every row has: words that several threads add
 * to. */
enum bgen_row_sum {
    BGEN_SUM_BYTES,    /* the bytes */
    BGEN_SUM_WEIGHTED, /* each byte times its index, in parts that are residues of adler32 */
    BGEN_SUM_HAPLOID,  /* not bytes: the haploid calls */
    BGEN_NSUMS
};

/* Adds what a kernel has added up of calls from a sample on. */
void bgen_row_add(const struct bgen_shape *shape, uint64_t sample, const struct bgen_sums *sums,
                  uint64_t row_sums[BGEN_NSUMS]);

/* What a site's strings need at least: the padding ID is not empty. At most UINT64_MAX / 2. */
uint64_t bgen_row_strings_needed(const struct site *site);

/* Writes everything else. bgen_row_strings_needed(site) <= shape->strings; the ID and the contig
 * are of at most 65535 bytes, the position and the alleles fit 32 bits. */
void bgen_row_finish(const struct bgen_shape *shape, const struct site *site, bool phased,
                     const uint64_t row_sums[BGEN_NSUMS], uint8_t *row);

/* The ALT to show: "." where there is none. */
struct str bgen_row_alt(const struct site *site);

/* Bytes of the padding ID of a row all of whose calls are of that ploidy. */
uint64_t bgen_row_padding(const struct bgen_shape *shape, const struct site *site);

#endif
