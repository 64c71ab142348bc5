/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cell_need: what one cell holds of the store.
 */
#ifndef VCZFS_ENCODE_CELL_NEED_H
#define VCZFS_ENCODE_CELL_NEED_H

#include "encoderd/zarr/chunk/chunk_need.h"

/* Zero-initialise, then set what the asker sets; it stays in its place until it is cleared
 * (encode_need.h). */
struct cell_need {
    /* Set by the asker. Called once for each NEED_WAITS, on any thread, without locks. */
    void (*wake)(struct cell_need *need);
    uint64_t order; /* smaller is asked of the store first: the age of who wants it */
    bool onward;    /* the next cells go on in the same chunks */
    bool demand;    /* somebody waits for the cell: never NEED_FULL, unless it has bytes in flight
                       itself */
    /* Told with NEED_THERE: the most that the cell is going to decode. */
    uint64_t nblocks; /* UINT64_MAX: of a chunk that has to be decoded whole */
    uint64_t nbytes;  /* of the largest of them, decoded */

    struct chunk_need chunks; /* encode_need's */
};

#endif
