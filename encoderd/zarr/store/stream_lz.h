/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_lz: LZ4 blocks, BloscLZ and Snappy streams of any length, sequence by sequence.
 *
 * The libraries want all of input and output in memory. These formats look back at most 73,726
 * bytes (Snappy's might look further, but no compressor's do, and those are refused), so a window
 * does as well.
 */
#ifndef VCZFS_ZARR_STORE_STREAM_LZ_H
#define VCZFS_ZARR_STORE_STREAM_LZ_H

#include "encoderd/zarr/store/stream_in.h"

#define STREAM_LZ_HISTORY ((size_t)80 << 10)
struct stream_lz {
    bool begun;
    bool ended;               /* it may end after a sequence; LZ4, after literals */
    int token;                /* LZ4: of a sequence whose match is to come; or -1 */
    uint64_t made;            /* with what is left of the sequence at hand: */
    uint64_t literals, match; /* one of the two, */
    uint64_t distance;        /* and how far back the match is */
    size_t n;                 /* bytes in the window */
    uint8_t window[128 << 10];
};

/* Some bytes of contents, n at the most; none may be the end. */
int stream_lz_step(struct stream_lz *lz, struct stream_in *in, uint8_t *to, size_t n, size_t *got,
                   struct err *err);

#endif
