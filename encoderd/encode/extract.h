/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extract: bit planes of a subset of samples.
 *
 * A subset in store order keeps its calls in plane form: the bits of the wanted columns are drawn
 * together, plane by plane, and the plane kernels go on from there.
 */
#ifndef VCZFS_ENCODE_EXTRACT_H
#define VCZFS_ENCODE_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Has this machine an instruction for it? Without, call-by-call gathering is the better way. */
bool extract_is_fast(void);

/*
 * Bits first, first + 1, ... of `plane` where mask has ones (bit i of mask word i / 64 is for bit
 * first + i), written to `out` from its lowest bit on. Reads up to 8 bytes past the last bit that
 * the mask covers; writes whole words, so out needs room for 8 bytes more than the bits take, and
 * what follows the last bit in its byte is zero.
 */
void extract_bits(const uint8_t *plane, uint64_t first, const uint64_t *mask, size_t nwords,
                  uint8_t *out);

/* The same in plain C: what extract_bits is held against. */
void extract_bits_plain(const uint8_t *plane, uint64_t first, const uint64_t *mask, size_t nwords,
                        uint8_t *out);

#endif
