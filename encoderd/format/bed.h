/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bed: genotype calls to PLINK 1 .bed bytes.
 *
 * doc/FORMATS.md, "Out: PLINK 1". A byte is four samples, the first in the low bits; A1 = ALT, A2 =
 * REF: 00 hom ALT, 01 missing, 10 het, 11 hom REF; unused bits are 0. A half-missing call is
 * missing; (a, −2) and a call on a ploidy axis of 1 are homozygous for a; (−2, −2) is missing.
 *
 * Each kernel writes `ncalls` codes; the first goes to bits 2 · shift of out[0] (shift 0 to 3, the
 * output sample modulo 4). A byte that the run fills only in part is completed by an atomic or,
 * because another thread may own its other bits. With `last`, the bits after the run belong to no
 * run, and if shift is 0 the byte is stored. Bytes that are or-ed into must start as zero.
 *
 * Each kernel returns false if a call cannot be in a biallelic record: an allele >= 2, a value
 * below −2, a fill before an allele. The plain form is the definition; tests/unit/test_bed.c
 * compares the others with it.
 */
#ifndef VCZFS_FORMAT_BED_H
#define VCZFS_FORMAT_BED_H

#include "encoderd/zarr/codec/planes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* alleles: ncalls × ploidy, ploidy 1 or 2. */
bool bed_from_alleles(const int8_t *alleles, unsigned ploidy, uint64_t ncalls, unsigned shift,
                      bool last, uint8_t *out);

/* The first allele of the first call is element `first` of the planes. Reads up to 8 bytes past the
 * end of the last plane. */
bool bed_from_planes(const struct planes *planes, uint64_t first, unsigned ploidy, uint64_t ncalls,
                     unsigned shift, bool last, uint8_t *out);

/* The same, forced to one implementation, for tests and benchmarks: "portable", "avx2", "avx512",
 * ...; NULL if cpu_uses does not allow it. bed_planes_names is a NULL-terminated list of all. */
typedef bool bed_planes_fn(const struct planes *planes, uint64_t first, unsigned ploidy,
                           uint64_t ncalls, unsigned shift, bool last, uint8_t *out);
extern const char *const bed_planes_names[];
bed_planes_fn *bed_planes_impl(const char *name);
bed_planes_fn bed_planes_portable, bed_planes_avx2, bed_planes_avx512;

#endif
