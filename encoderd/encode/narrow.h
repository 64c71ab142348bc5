/* SPDX-License-Identifier: Apache-2.0 */
/*
 * narrow: alleles of 1, 2, 4 or 8 bytes, in the machine's order, to the single byte that formats
 * take.
 *
 * An allele that does not fit in a byte becomes INT8_MAX, which no output can show.
 */
#ifndef VCZFS_ENCODE_NARROW_H
#define VCZFS_ENCODE_NARROW_H

#include <stdint.h>

/* n consecutive elements of `width` bytes. */
void narrow_run(const uint8_t *from, unsigned width, uint64_t n, int8_t *to);

/* The n elements whose numbers are listed, of a block that begins with element `first`, to every
 * `step`th place of `to`. */
void narrow_gather(const uint8_t *from, unsigned width, uint64_t first, const uint64_t *elements,
                   uint64_t n, unsigned step, int8_t *to);

#endif
