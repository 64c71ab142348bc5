/*
 * bgen_row: a variant's block of fixed size, from its genotype bytes outwards.
 *
 * FORMATS.md, "Out: BGEN". A block is
 *
 *     strings and position | C, D | 78 01 | stored deflate blocks of the probability data | adler32
 *
 * Kernels put the data (D: header, a ploidy byte a sample, values) right against the adler32, where most
 * of it stays; finishing a row moves the parts before the last 65535 bytes left, to make room for the
 * stored blocks' headers, and writes the rest around them. A row with haploid calls among diploid ones
 * has less data: empty stored blocks at the stream's start take up what is left, and up to four bytes go
 * to the padding ID.
 */
#ifndef VCZFS_FORMAT_BGEN_ROW_H
#define VCZFS_FORMAT_BGEN_ROW_H

#include "encoderd/format/bgen_calls.h"
#include "encoderd/vcz/sites.h"

/* What all rows of a view have in common. */
struct bgen_shape {
    uint64_t nsamples;
    unsigned ploidy;  /* of the axis: 1 or 2 */
    uint64_t strings; /* bytes that the five strings of a variant take together */
    char pad;
    bool id_in_varid;
    bool put_unphased; /* kernels wrote the unphased form already */
};

#define BGEN_STRINGS_DEFAULT 64
#define BGEN_STRINGS_MAX     (UINT32_MAX / 4)

/* C and D fit 32 bits up to here. */
#define BGEN_SAMPLES_MAX (UINT32_MAX / 4)

uint64_t bgen_row_nbytes(const struct bgen_shape *shape);

/* Where the kernels write, in a row at `row`. */
uint8_t *bgen_row_ploidies(const struct bgen_shape *shape, uint8_t *row);
uint8_t *bgen_row_values(const struct bgen_shape *shape, uint8_t *row);

/* What a site's strings need at least: the padding ID is not empty. At most UINT64_MAX / 2. */
uint64_t bgen_row_strings_needed(const struct site *site);

/* Writes everything else. bgen_row_strings_needed(site) <= shape->strings; the ID and the contig are of
 * at most 65535 bytes, the position and the alleles fit 32 bits. */
void bgen_row_finish(const struct bgen_shape *shape, const struct site *site, bool phased,
                     uint8_t *row);

/* The ALT to show: "." where there is none. */
struct str bgen_row_alt(const struct site *site);

/* Bytes of the padding ID of a row all of whose calls are of the axis' ploidy. */
uint64_t bgen_row_padding(const struct bgen_shape *shape, const struct site *site);

#endif
