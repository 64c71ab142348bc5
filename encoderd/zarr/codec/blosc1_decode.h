/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blosc1_decode: decodes single blocks of a frame.
 */
#ifndef VCZFS_ZARR_CODEC_BLOSC1_DECODE_H
#define VCZFS_ZARR_CODEC_BLOSC1_DECODE_H

#include "encoderd/zarr/codec/blosc1.h"
#include "encoderd/zarr/codec/planes.h"

#include <zstd.h>

/* The bytes before a block that the caller must make writable. Decoding builds the header of a
 * one-block frame there, and may change the block itself, too. It restores all of these bytes. */
#define BLOSC1_ROOM 20

/* The most bytes that a block can need. If there is a gap after the block, its extent may be
 * longer. */
size_t blosc1_block_cbytes_max(const struct blosc1_frame *frame, uint32_t i);

/* Decodes block i into `out`, which has room for exactly its decoded size. `in` is the n bytes of
 * its extent, with BLOSC1_ROOM writable bytes before it. */
int blosc1_decode_plain(const struct blosc1_frame *frame, uint32_t i, uint8_t *in, size_t n,
                        uint8_t *out, struct err *err);

/* The same without un-shuffling, for a block for which blosc1_block_is_planes is true. planes->at
 * is `out`, or points into `in` if the block is stored uncompressed. With PLANES_LOW, `out` after
 * those planes is not written. */
int blosc1_decode_planes(const struct blosc1_frame *frame, uint32_t i, uint8_t *in, size_t n,
                         ZSTD_DCtx *zstd, uint8_t *out, struct planes *planes, struct err *err);

/* Decodes a whole frame of n bytes in memory to `nbytes` bytes. */
int blosc1_decode_frame(const uint8_t *from, size_t n, uint64_t nbytes, uint8_t *out,
                        struct err *err);

#endif
