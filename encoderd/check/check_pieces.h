/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_pieces: which chunks a check visits, and how many chunks each stands for.
 *
 * All chunks of an array are visited; or, if few are stored, the chunks of its stored objects, and
 * then one chunk for all the others, which have the same value.
 */
#ifndef VCZFS_CHECK_CHECK_PIECES_H
#define VCZFS_CHECK_CHECK_PIECES_H

#include "encoderd/check/check_state.h"
#include "encoderd/zarr/meta/stored_objects.h"

/* What one array claims and stores. */
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

/* An array with too many chunks to visit is a problem, and has no piece. Call check_pieces_clear
 * also after an error. */
int check_pieces_init(struct check_pieces *pieces, struct check *check, struct err *err);
void check_pieces_clear(struct check_pieces *pieces);

/* Piece i: arrays one after the other, each in C order of chunks. */
struct check_piece {
    size_t array;
    uint64_t index[ZARR_DIMS_MAX];
    /* the number of chunks that this one stands for; 0 if it lies past the array's end */
    uint64_t nlike;
};
struct check_piece check_piece_at(const struct check_pieces *pieces, uint64_t i);

/* n for each chunk that the piece stands for, but at most the array's number of elements. */
uint64_t check_piece_times(const struct check_pieces *pieces, const struct check_piece *piece,
                           uint64_t n);

#endif
