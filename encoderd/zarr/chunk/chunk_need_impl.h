/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk_need_impl: ranges of stored chunks and shards, for needs.
 */
#ifndef VCZFS_ZARR_CHUNK_CHUNK_NEED_IMPL_H
#define VCZFS_ZARR_CHUNK_CHUNK_NEED_IMPL_H

#include "encoderd/zarr/chunk/chunk_need.h"
#include "encoderd/zarr/chunk/chunk_table_impl.h"

/* A range of a stored chunk's or shard's object. */
struct piece_range {
    const char *key;         /* the object is not open yet: it is opened, too. Else NULL */
    uint64_t offset, length; /* in the object */
    uint64_t most;           /* no less than length: so many if they have to be waited for */
    uint64_t likely_offset, likely_length; /* of an object to be opened: what else is likely to be
                                              asked for */
    bool shared;   /* others want the same: it is not for this need alone even if it is there at
                    * once */
    bool from_end; /* of an object to be opened: its last `length` bytes; offset is 0 */
};

/* Bytes that are there. */
struct piece_bytes {
    uint8_t *at;   /* of the range's first byte */
    uint64_t n;    /* as far as they reach: less than `length` if the object ends before */
    size_t before; /* bytes before `at` that may be changed while nothing else is decoded: 0 unless
                      they are this need's alone. They must be put back. */
    bool absent;   /* of an object to be opened: there is none */
    struct object *object; /* that was opened, the piece's; NULL if it was open */
    uint64_t size;         /* of it */
};

/* Gets the range of `stored`, which holds an object already unless there is a key. FAILED: the
 * error names the file. */
enum need chunk_need_range(struct chunk_need *need, struct stored *stored,
                           const struct piece_range *range, struct piece_bytes *out,
                           struct err *err);

/* Does the need, or somebody else, hold a piece that has these bytes, or will have them? */
bool chunk_need_has(const struct chunk_need *need, const struct stored *stored, uint64_t offset,
                    uint64_t n);

/* Of what the need holds: bytes [offset, offset + n) of the stored one's object; false if it does
 * not have them. Any thread to which the need was handed over. */
bool chunk_need_find(const struct chunk_need *need, const struct stored *stored, uint64_t offset,
                     uint64_t n, struct piece_bytes *out);

#endif
