/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extract: bit planes of a subset of samples.
 *
 * A subset in store order keeps its calls in plane form: the bits of the wanted columns are
 * extracted from each plane, and the plane kernels use the result.
 */
#ifndef VCZFS_ENCODE_EXTRACT_H
#define VCZFS_ENCODE_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if this machine has an instruction for it. If not, gathering call by call is faster. */
bool extract_is_fast(void);

/*
 * Writes those bits of `plane` for which the mask has a one to `out`, from its lowest bit on; bit i
 * of mask word w is for bit first + 64 w + i. Reads up to 8 bytes past the last bit that the mask
 * covers. Writes whole words: `out` needs room for 8 bytes more than the bits take. The bits after
 * the last one in its byte are zero.
 */
void extract_bits(const uint8_t *plane, uint64_t first, const uint64_t *mask, size_t nwords,
                  uint8_t *out);

/* The same in plain C, for comparison with extract_bits. */
void extract_bits_plain(const uint8_t *plane, uint64_t first, const uint64_t *mask, size_t nwords,
                        uint8_t *out);

#endif
