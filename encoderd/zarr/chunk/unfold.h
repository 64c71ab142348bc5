/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unfold: decodes a chunk of any size, with any codecs, filters and order of axes, into the
 * temporary file.
 *
 * Each step goes from one area of the file to another, from front to back or in boxes, through two
 * windows in the decoder's scratch. So the memory does not depend on the size of the chunk, of a
 * Blosc block or of a zstd window. The file takes the bytes that were really decoded, not what
 * metadata or a header claim: at most 255 times the stored bytes for LZ4 and 1032 times for
 * deflate. zstd has no such limit, so there the limit of the file applies.
 */
#ifndef VCZFS_ZARR_CHUNK_UNFOLD_H
#define VCZFS_ZARR_CHUNK_UNFOLD_H

#include "encoderd/zarr/chunk/decoder_impl.h"
#include "encoderd/zarr/store/spill.h"

/* The areas of a filled entry. */
enum {
    UNFOLD_BYTES,   /* the decoded bytes, in C order and the stored byte order */
    UNFOLD_OFFSETS, /* strings: offsets of their lengths, uint64 each, in C order */
};

/* Fills an entry (see spill_fill). It uses only array, stored, base and length of the chunk. */
int unfold_chunk(struct decoder *decoder, struct chunk *chunk, struct spill_entry *entry,
                 struct err *err);

#endif
