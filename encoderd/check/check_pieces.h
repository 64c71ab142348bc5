/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_pieces: which chunks a check visits, and how many each stands for.
 *
 * All of an array's or, where few are stored, those in its objects that are stored, and then one
 * chunk for all the others, which read alike.
 */
#ifndef VCZFS_CHECK_CHECK_PIECES_H
#define VCZFS_CHECK_CHECK_PIECES_H

#include "encoderd/check/check_state.h"
#include "encoderd/zarr/meta/stored_objects.h"

/* Of one array. */
struct claim {
    uint64_t nchunks;
    bool sparse;
    struct stored_objects stored; /* if sparse */
    uint64_t each;                /* chunks in an object */
    uint64_t nothers;             /* chunks of objects that are not stored */
};

struct check_pieces {
    const struct check *check; /* borrowed */
    struct claim *claims;      /* owned; of each array */
    uint64_t *first; /* owned; of each array: the number of its first piece; narrays + 1 */
};

/* Arrays that have too many chunks to look at are problems, and have no piece. Clear it also after
 * an error. */
int check_pieces_init(struct check_pieces *pieces, struct check *check, struct err *err);
void check_pieces_clear(struct check_pieces *pieces);

/* What piece i is: arrays one after the other, chunks in C order. */
struct check_piece {
    size_t array;
    uint64_t index[ZARR_DIMS_MAX];
    uint64_t nlike; /* chunks that it stands for; 0 if it is none */
};
struct check_piece check_piece_at(const struct check_pieces *pieces, uint64_t i);

/* n of each chunk that the piece stands for, and not more than the array has elements. */
uint64_t check_piece_times(const struct check_pieces *pieces, const struct check_piece *piece,
                           uint64_t n);

#endif
