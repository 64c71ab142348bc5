/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen_row: a variant's block of fixed size, from its genotype bytes outwards.
 *
 * doc/FORMATS.md, "Out: BGEN". A block is
 *
 *     strings and position | C, D | 78 01 | stored deflate blocks of the probability data | adler32
 *
 * Kernels put the data (D: header, a ploidy byte a sample, values) in its final place, with gaps
 * every 65535 bytes for the headers of the stored blocks, and add up its sums. So finishing a row
 * writes a few bytes around the data and does not read it again. Two kinds of rows take longer. A
 * row that turns out not to be phased is rewritten in place. A row with haploid calls among diploid
 * ones has less data: the space that is left is filled with empty stored blocks at the stream's
 * start, and up to four bytes of it with the padding ID.
 */
#ifndef VCZFS_FORMAT_BGEN_ROW_H
#define VCZFS_FORMAT_BGEN_ROW_H

#include "encoderd/format/bgen_calls.h"
#include "encoderd/vcz/sites.h"

/* What is common to all rows of a view. */
struct bgen_shape {
    uint64_t nsamples;
    unsigned ploidy;  /* the highest ploidy of a call, 1 or 2: every call has room for it */
    uint64_t strings; /* bytes of the five strings of a variant together */
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

/* Where a kernel writes calls, from a sample on: as many as are not separated by a block header. */
struct bgen_piece {
    uint8_t *ploidies, *values;
    /* where the second value of a single call goes if a block header separates it; else NULL */
    uint8_t *second;
    uint64_t ncalls; /* at most 65535 */
};
struct bgen_piece bgen_row_piece(const struct bgen_shape *shape, uint8_t *row, uint64_t sample,
                                 uint64_t ncalls);

/* Sums over the data's bytes, except those that are equal in every row. Several threads add to
 * them. */
enum bgen_row_sum {
    BGEN_SUM_BYTES,    /* the bytes */
    BGEN_SUM_WEIGHTED, /* each byte times its index; a sum of residues for adler32 */
    BGEN_SUM_HAPLOID,  /* not bytes: the haploid calls */
    BGEN_NSUMS
};

/* Adds the sums that a kernel made for calls from a sample on. */
void bgen_row_add(const struct bgen_shape *shape, uint64_t sample, const struct bgen_sums *sums,
                  uint64_t row_sums[BGEN_NSUMS]);

/* The bytes that a site's strings need at least: the padding ID must not be empty. At most
 * UINT64_MAX / 2. */
uint64_t bgen_row_strings_needed(const struct site *site);

/* Writes the rest of the row. bgen_row_strings_needed(site) <= shape->strings; the ID and the
 * contig have at most 65535 bytes; the position and the lengths of the alleles fit 32 bits. */
void bgen_row_finish(const struct bgen_shape *shape, const struct site *site, bool phased,
                     const uint64_t row_sums[BGEN_NSUMS], uint8_t *row);

/* The ALT to show: "." if there is none. */
struct str bgen_row_alt(const struct site *site);

/* Bytes of the padding ID of a row in which all calls have the highest ploidy. */
uint64_t bgen_row_padding(const struct bgen_shape *shape, const struct site *site);

#endif
