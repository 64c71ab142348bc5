/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blosc1_decode: from a block's compressed bytes to its contents.
 */
#ifndef VCZFS_ZARR_CODEC_BLOSC1_DECODE_H
#define VCZFS_ZARR_CODEC_BLOSC1_DECODE_H

#include "encoderd/zarr/codec/blosc1.h"
#include "encoderd/zarr/codec/planes.h"

#include <zstd.h>

/* Bytes before a block's own that are overwritten meanwhile: a one-block frame is built around it
 * in place. The block's own bytes may be, too. All of them are put back. */
#define BLOSC1_ROOM 20

/* The most bytes of a block's extent that can be of use, for extents with a gap after them. */
size_t blosc1_block_cbytes_max(const struct blosc1_frame *frame, uint32_t i);

/* Decodes block i into `out`, which has room for exactly its decoded size. `in` holds the n bytes
 * of its extent, and BLOSC1_ROOM writable bytes lie before them. */
int blosc1_decode_plain(const struct blosc1_frame *frame, uint32_t i, uint8_t *in, size_t n,
                        uint8_t *out, struct err *err);

/* The same for a block for which blosc1_block_is_planes, without the un-shuffling. planes->at is
 * `out`, or points into `in` where the block is stored uncompressed; of PLANES_LOW, `out` beyond
 * them is not touched. */
int blosc1_decode_planes(const struct blosc1_frame *frame, uint32_t i, uint8_t *in, size_t n,
                         ZSTD_DCtx *zstd, uint8_t *out, struct planes *planes, struct err *err);

/* A whole frame in memory, of `nbytes` decoded bytes. */
int blosc1_decode_frame(const uint8_t *from, size_t n, uint64_t nbytes, uint8_t *out,
                        struct err *err);

#endif
