/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blosc1: parses the frame of a Blosc 1 chunk without trusting it.
 *
 * A store may come from anybody, so the header, the sizes and the extent of every block are checked
 * against the bytes that exist before anything is decoded. c-blosc gets only frames of one block,
 * which are built here from checked parts. Format: c-blosc README_CHUNK_FORMAT; doc/FORMATS.md, "A
 * Blosc 1 frame".
 */
#ifndef VCZFS_ZARR_CODEC_BLOSC1_H
#define VCZFS_ZARR_CODEC_BLOSC1_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOSC1_HEADER_NBYTES 16

struct blosc1_frame {
    uint8_t version_lz, flags, typesize;
    uint32_t nbytes;     /* decoded */
    uint32_t block_size; /* decoded bytes of every block but the last */
    uint32_t cbytes;     /* of the frame, with its header */
    uint32_t nblocks;
    bool stored; /* raw bytes follow the header, and no table of blocks */
};

enum blosc1_codec { BLOSC1_BLOSCLZ, BLOSC1_LZ4, BLOSC1_SNAPPY, BLOSC1_ZLIB, BLOSC1_ZSTD };

/* Checks the 16 bytes of a header against the object's size and the chunk's decoded size. */
int blosc1_parse_header(const uint8_t header[BLOSC1_HEADER_NBYTES], uint64_t object_size,
                        uint64_t expected_nbytes, struct blosc1_frame *out, struct err *err);

enum blosc1_codec blosc1_frame_codec(const struct blosc1_frame *frame);

/* Computes where each block's bytes are in the frame. Blocks may be in any order, because c-blosc's
 * threads write them as they finish; so a block ends where the next one in the file begins. `table`
 * is the nblocks × 4 bytes after the header. On success *begins and *ends are arrays of nblocks
 * elements, which the caller frees. */
int blosc1_index(const struct blosc1_frame *frame, const uint8_t *table, uint32_t **begins,
                 uint32_t **ends, struct err *err);

/* The same, into the caller's arrays of nblocks elements. `places` is room for sorting. */
int blosc1_index_into(const struct blosc1_frame *frame, const uint8_t *table, uint64_t *places,
                      uint32_t *begins, uint32_t *ends, struct err *err);

/* Decoded size of block i. */
uint32_t blosc1_block_nbytes(const struct blosc1_frame *frame, uint32_t i);

/* Is block i stored as eight bit planes of one-byte elements? */
bool blosc1_block_is_planes(const struct blosc1_frame *frame, uint32_t i);

#endif
