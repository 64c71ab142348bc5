/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unfold_impl: the state of a chunk that is being unfolded, and the steps that have a file of their
 * own.
 */
#ifndef VCZFS_ZARR_CHUNK_UNFOLD_IMPL_H
#define VCZFS_ZARR_CHUNK_UNFOLD_IMPL_H

#include "encoderd/zarr/chunk/unfold.h"

/* Further areas: for the output of a step, and for the streams of a Blosc block. */
enum { UNFOLD_NEXT = 2, UNFOLD_STREAMS };

struct unfold {
    struct decoder *decoder;
    struct chunk *chunk;
    const struct zarr_meta *meta;
    struct spill_entry *entry;
    bool stored;       /* its bytes are still in the store, not in UNFOLD_BYTES */
    uint64_t length;   /* how many */
    uint8_t *in, *out; /* windows in the scratch */
    size_t room;       /* of each */
};

/* Reads bytes of the chunk in its present state. */
int unfold_read(const struct unfold *u, uint64_t offset, void *to, size_t n, struct err *err);

/* unfold_begin: begins a step, with UNFOLD_NEXT empty. The other function ends it: UNFOLD_NEXT
 * becomes the chunk. */
int unfold_begin(struct unfold *u, uint64_t most, struct err *err);
int unfold_end(struct unfold *u);

/* Decompresses bytes [from, from + n) of the chunk in its present state and appends the result to
 * an area: at most `nbytes` bytes, and exactly that many for LZ4, BloscLZ and Snappy. */
int unfold_unpack(struct unfold *u, enum stream_kind kind, uint64_t from, uint64_t n,
                  uint64_t nbytes, unsigned area, struct err *err);

/* Undoes Blosc: at most `most` bytes, or exactly that many if `exact`. */
int unfold_blosc(struct unfold *u, uint64_t most, bool exact, struct err *err);

/* Brings elements of `size` bytes, stored with axes[0] slowest, into C order. */
int unfold_order(struct unfold *u, unsigned ndim, const uint64_t *shape, const uint8_t *axes,
                 uint64_t size, struct err *err);

/* Finds the offsets of strings. */
int unfold_strings(struct unfold *u, struct err *err);

#endif
