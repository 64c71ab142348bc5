/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd_zeros: the zeroes that a zstd frame ends in, without decoding them.
 *
 * RFC 8878. A frame is a row of blocks, and one whose bytes are all the same is stored as that byte
 * (an RLE block). Bit-shuffled genotypes end in hundreds of kilobytes of such zeroes, which take
 * longer to write, and to look at, than the rest takes to decode.
 */
#ifndef VCZFS_ZARR_CODEC_ZSTD_ZEROS_H
#define VCZFS_ZARR_CODEC_ZSTD_ZEROS_H

#include <stddef.h>
#include <stdint.h>

/*
 * How many of the frame's nbytes decoded bytes lie before the RLE blocks of zeroes that it ends in:
 * nbytes if it has none, or is not of the kind that is looked into (one segment, its size in 4
 * bytes, no dictionary, no checksum). The frame, *n bytes, is rewritten so that it decodes to just
 * those, and *n is what it takes then; if they are 0 it is not to be decoded. Nothing is vouched
 * for: what is left is still to be decoded, and to be of that size.
 */
size_t zstd_cut_zeros(uint8_t *frame, size_t *n, size_t nbytes);

/* Puts a frame back that was cut to n bytes: it is what it was, byte for byte. */
void zstd_uncut_zeros(uint8_t *frame, size_t n, size_t nbytes);

#endif
