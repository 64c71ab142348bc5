/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd_zeros: finds the zeroes at the end of a zstd frame without decoding them.
 *
 * RFC 8878. A frame is a sequence of blocks. A block whose bytes are all the same is stored as one
 * byte (an RLE block). Bit-shuffled genotypes end in hundreds of kilobytes of zeroes, which would
 * take longer to write and to examine than the rest takes to decode.
 */
#ifndef VCZFS_ZARR_CODEC_ZSTD_ZEROS_H
#define VCZFS_ZARR_CODEC_ZSTD_ZEROS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Returns how many of the frame's nbytes decoded bytes precede the RLE blocks of zeroes at its end.
 * It is nbytes if there are none, or if the frame is not of the one kind that is handled (single
 * segment, size in 4 bytes, no dictionary, no checksum). The frame of *n bytes is changed so that
 * it decodes to only those bytes, and *n becomes its new length; if the result is 0, do not decode
 * it. Blocks are not verified here: the caller must still decode the rest and check its size.
 */
size_t zstd_cut_zeros(uint8_t *frame, size_t *n, size_t nbytes);

/* Restores a frame that was cut to n bytes, byte for byte. */
void zstd_uncut_zeros(uint8_t *frame, size_t n, size_t nbytes);

#endif
