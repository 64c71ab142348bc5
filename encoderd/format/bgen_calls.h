/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen_calls: genotype calls to the ploidy and probability bytes of BGEN.
 *
 * doc/FORMATS.md, "Out: BGEN". By default every call is shown as diploid: a call that is stored as
 * haploid, (a, −2) or a on a ploidy axis of 1, is shown as homozygous. With `haploid`, each call is
 * shown in the ploidy that it is stored in. A call has two bytes (one if the axis is 1 and
 * `haploid` is set). The phased form says for each allele whether it is REF (255 or 0); the
 * unphased form is P(RR), P(RA). A missing call has zeroes, and bit 0x80 in its ploidy. A
 * half-missing diploid call is missing. −2 in place of −1 makes no difference in (−1, −2), nor on
 * an axis of 1. A haploid call among diploid ones has ploidy 1 and, until bgen_compact, two bytes,
 * of which one may be set.
 *
 * Each kernel returns false if a call cannot be in a two-allele record: an allele >= 2, a value
 * below −2, a fill before an allele. The plain form is the definition; tests/unit/test_bgen_calls.c
 * compares the others with it. Kernels write no other bytes than those of their calls.
 */
#ifndef VCZFS_FORMAT_BGEN_CALLS_H
#define VCZFS_FORMAT_BGEN_CALLS_H

#include "encoderd/zarr/codec/planes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BGEN_MISSING 0x80u

/* Where the bytes of a run's first call go, and in which form. */
struct bgen_out {
    uint8_t *ploidies; /* 1 byte a call */
    uint8_t *values;   /* bgen_nvalues bytes a call */
    bool phased;
    bool haploid; /* ploidy as stored */
};

/* Bytes a call. */
static inline unsigned bgen_nvalues(unsigned axis, bool haploid)
{
    return axis == 1 && haploid ? 1 : 2;
}

/*
 * Sums over the bytes of a run, from which the checksum is made without reading the bytes again. A
 * value byte is 255 or 0. A ploidy byte is the number of value bytes, plus BGEN_MISSING if missing,
 * minus one if haploid.
 */
struct bgen_sums {
    uint64_t set;          /* value bytes of 255 */
    uint64_t set_weighted; /* the sum of their indexes, counted from the run's first value byte */
    uint64_t missing;      /* missing calls */
    uint64_t missing_weighted; /* the sum of their indexes, counted from the run's first call */
    uint64_t haploid;          /* calls shown as haploid in two bytes */
};

/* alleles: ncalls × axis, where axis is the length of the ploidy axis, 1 or 2. All kernels add to
 * *sums, which cannot overflow: a run has at most 2^31 calls. */
bool bgen_from_alleles(const int8_t *alleles, unsigned axis, uint64_t ncalls,
                       const struct bgen_out *out, struct bgen_sums *sums);

/* The plain form, which defines the others. */
bool bgen_from_alleles_plain(const int8_t *alleles, unsigned axis, uint64_t ncalls,
                             const struct bgen_out *out, struct bgen_sums *sums);

/* The first allele of the first call is element `first` of the planes. Reads up to 8 bytes past the
 * end of the last plane. */
bool bgen_from_planes(const struct planes *planes, uint64_t first, unsigned axis, uint64_t ncalls,
                      const struct bgen_out *out, struct bgen_sums *sums);

/* Turns pairs of the phased form into the unphased form, in place. */
void bgen_unphase(uint8_t *values, uint64_t ncalls);

/* Removes the unused byte from haploid calls' pairs, of either form, in place: the result ends
 * where the pairs ended. */
void bgen_compact(const uint8_t *ploidies, uint8_t *values, uint64_t ncalls);

/* Both fast kernels, forced to one implementation, for tests and benchmarks; as in bed.h. */
typedef bool bgen_planes_fn(const struct planes *planes, uint64_t first, unsigned axis,
                            uint64_t ncalls, const struct bgen_out *out, struct bgen_sums *sums);
typedef bool bgen_alleles_fn(const int8_t *alleles, unsigned axis, uint64_t ncalls,
                             const struct bgen_out *out, struct bgen_sums *sums);
struct bgen_impl {
    const char *name;
    bgen_planes_fn *planes;
    bgen_alleles_fn *alleles;
};
extern const char *const bgen_impl_names[];
const struct bgen_impl *bgen_impl(const char *name);

bgen_planes_fn bgen_planes_portable, bgen_planes_avx2, bgen_planes_avx512;
bgen_alleles_fn bgen_alleles_portable, bgen_alleles_avx2, bgen_alleles_avx512;

#endif
