/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unfold: a chunk of any size, through any codecs, filters and order of axes, decoded into the
 * temporary file.
 *
 * Every step goes from one area of the file to another, from front to back or in boxes, through two
 * windows in the decoder's scratch; so memory is the same whatever a chunk, a Blosc block or a zstd
 * window has. What the file takes is what was really decoded, never what metadata or a header
 * claims: at most 255 times the stored bytes for LZ4, 1032 for deflate; for zstd, whose runs have
 * no such bound, the file's own limit.
 */
#ifndef VCZFS_ZARR_CHUNK_UNFOLD_H
#define VCZFS_ZARR_CHUNK_UNFOLD_H

#include "encoderd/zarr/chunk/decoder_impl.h"
#include "encoderd/zarr/store/spill.h"

/* Where a filled entry has what. */
enum {
    UNFOLD_BYTES,   /* the decoded bytes, in C order and the array's own byte order */
    UNFOLD_OFFSETS, /* strings: where each one's length begins, uint64 each, in C order */
};

/* A spill_fill's work. Of the chunk only array, stored, base and length are looked at. */
int unfold_chunk(struct decoder *decoder, struct chunk *chunk, struct spill_entry *entry,
                 struct err *err);

#endif
