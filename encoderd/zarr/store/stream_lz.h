/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_lz: decompresses LZ4 blocks, BloscLZ and Snappy streams of any length, sequence by
 * sequence.
 *
 * The libraries need all input and output in memory. These formats look back at most 73,726 bytes,
 * so a window is enough. (Snappy's format could look further, but no compressor does, and such data
 * is refused.)
 */
#ifndef VCZFS_ZARR_STORE_STREAM_LZ_H
#define VCZFS_ZARR_STORE_STREAM_LZ_H

#include "encoderd/zarr/store/stream_in.h"

#define STREAM_LZ_HISTORY ((size_t)80 << 10)
struct stream_lz {
    bool begun;
    bool ended;               /* the data may end after this sequence (LZ4: after its literals) */
    int token;                /* LZ4: of the sequence whose match comes next; or -1 */
    uint64_t made;            /* below: what is left of the present sequence */
    uint64_t literals, match; /* one of the two, */
    uint64_t distance;        /* and how far back the match is */
    size_t n;                 /* bytes in the window */
    uint8_t window[128 << 10];
};

/* Makes at most n bytes of contents; 0 bytes may mean the end. */
int stream_lz_step(struct stream_lz *lz, struct stream_in *in, uint8_t *to, size_t n, size_t *got,
                   struct err *err);

#endif
