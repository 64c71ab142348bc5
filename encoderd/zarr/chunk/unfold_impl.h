/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unfold_impl: a chunk on its way, and the steps that need a file each.
 */
#ifndef VCZFS_ZARR_CHUNK_UNFOLD_IMPL_H
#define VCZFS_ZARR_CHUNK_UNFOLD_IMPL_H

#include "encoderd/zarr/chunk/unfold.h"

/* Areas besides: what a step makes of UNFOLD_BYTES, and the streams of a Blosc block. */
enum { UNFOLD_NEXT = 2, UNFOLD_STREAMS };

struct unfold {
    struct decoder *decoder;
    struct chunk *chunk;
    const struct zarr_meta *meta;
    struct spill_entry *entry;
    bool stored;       /* its bytes are in the store, and not in UNFOLD_BYTES yet */
    uint64_t length;   /* how many */
    uint8_t *in, *out; /* windows in the scratch */
    size_t room;       /* of each */
};

/* Of where the chunk is by now. */
int unfold_read(const struct unfold *u, uint64_t offset, void *to, size_t n, struct err *err);

/* A step begins with nothing in UNFOLD_NEXT, and ends with that as the chunk. */
int unfold_begin(struct unfold *u, uint64_t most, struct err *err);
int unfold_end(struct unfold *u);

/* Decompresses bytes [from, from + n) of where the chunk is by now, and appends them to an area;
 * `nbytes` of them at the most, and for LZ4 and its like just so many. */
int unfold_unpack(struct unfold *u, enum stream_kind kind, uint64_t from, uint64_t n,
                  uint64_t nbytes, unsigned area, struct err *err);

/* Undoes Blosc. Not more than `most` bytes, or just that many where it is exact. */
int unfold_blosc(struct unfold *u, uint64_t most, bool exact, struct err *err);

/* Elements of `size` bytes, stored with axes[0] slowest, brought into C order. */
int unfold_order(struct unfold *u, unsigned ndim, const uint64_t *shape, const uint8_t *axes,
                 uint64_t size, struct err *err);

/* Finds out where strings are. */
int unfold_strings(struct unfold *u, struct err *err);

#endif
