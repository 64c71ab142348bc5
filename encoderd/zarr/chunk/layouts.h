/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layouts: the ways to cut a chunk into blocks and to decode one, each in a file of its own.
 *
 * Which one is used depends on how the chunk is stored, and on the decoder's scratch and cache:
 * layout.c chooses, doc/DESIGN.md has the table.
 */
#ifndef VCZFS_ZARR_CHUNK_LAYOUTS_H
#define VCZFS_ZARR_CHUNK_LAYOUTS_H

#include "encoderd/zarr/chunk/decoder_impl.h"

extern const struct layout_ops layout_absent, /* the fill value */
    layout_raw,                               /* the decoded bytes as such */
    layout_blosc,                             /* Blosc's blocks */
    layout_recut,                             /* the same, but cut anew */
    layout_large,                             /* pieces of Blosc's blocks, decoded into the cache */
    layout_whole,                             /* one block, through all codecs */
    layout_shared,                            /* pieces of a chunk that is decoded into the cache */
    layout_stream,                            /* pieces of a chunk that is too long to be held */
    layout_spill;                             /* the same, but decoded into the temporary file */

#endif
