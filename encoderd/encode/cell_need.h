/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cell_need: what one cell needs from the store, and holds of it.
 */
#ifndef VCZFS_ENCODE_CELL_NEED_H
#define VCZFS_ENCODE_CELL_NEED_H

#include "encoderd/zarr/chunk/chunk_need.h"

/* Zero-initialise, then set the fields of the caller. Must not be moved until it is cleared
 * (encode_need.h). */
struct cell_need {
    /* Set by the caller. Called once for each NEED_WAITS, on any thread, without locks. */
    void (*wake)(struct cell_need *need);
    /* the store is asked first for the smallest: the age of the read that wants the cell */
    uint64_t order;
    bool onward; /* the next cells continue in the same chunks */
    /* a reader waits for the cell: NEED_FULL only if the cell itself has bytes in flight */
    bool demand;
    /* Set with NEED_THERE: the most that the cell is going to decode. */
    uint64_t nblocks; /* UINT64_MAX: a chunk that has to be decoded whole */
    uint64_t nbytes;  /* of the largest block, decoded */

    struct chunk_need chunks; /* encode_need's */
};

#endif
