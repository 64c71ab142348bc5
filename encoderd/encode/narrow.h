/* SPDX-License-Identifier: Apache-2.0 */
/*
 * narrow: alleles of 1, 2, 4 or 8 bytes, in the machine's order, to the one byte that formats take.
 *
 * What one byte does not hold becomes INT8_MAX, which is no allele of any output.
 */
#ifndef VCZFS_ENCODE_NARROW_H
#define VCZFS_ENCODE_NARROW_H

#include <stdint.h>

/* n elements of `width` bytes that lie one after another. */
void narrow_run(const uint8_t *from, unsigned width, uint64_t n, int8_t *to);

/* Those that are n of a block's elements, counted from `first`, to every `step`th place of `to`. */
void narrow_gather(const uint8_t *from, unsigned width, uint64_t first, const uint64_t *elements,
                   uint64_t n, unsigned step, int8_t *to);

#endif
