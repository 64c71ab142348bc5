/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout: chooses how a chunk is cut into blocks.
 */
#ifndef VCZFS_ZARR_CHUNK_LAYOUT_H
#define VCZFS_ZARR_CHUNK_LAYOUT_H

#include "encoderd/zarr/chunk/decoder_impl.h"

/* Finds out how the chunk is stored, and how it is cut into blocks. */
enum need chunk_lay_out(struct decoder *decoder, struct chunk *chunk, struct chunk_need *need,
                        struct err *err);

#endif
