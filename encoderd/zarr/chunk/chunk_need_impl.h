/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk_need_impl: ranges of stored chunks and shards, as needs ask for them.
 */
#ifndef VCZFS_ZARR_CHUNK_CHUNK_NEED_IMPL_H
#define VCZFS_ZARR_CHUNK_CHUNK_NEED_IMPL_H

#include "encoderd/zarr/chunk/chunk_need.h"
#include "encoderd/zarr/chunk/chunk_table_impl.h"

/* A range of the object of a stored chunk or shard. */
struct piece_range {
    const char *key;         /* of an object that must be opened, too; NULL if it is open */
    uint64_t offset, length; /* in the object */
    uint64_t most; /* how many bytes to read if it has to wait; less than length: length */
    uint64_t likely_offset, likely_length; /* probably asked for next; if it opens the object */
    bool shared;   /* others want the same, so the piece is listed even if it is there at once */
    bool from_end; /* of an object to be opened: its last `length` bytes; offset is 0 */
};

/* Bytes that are there. */
struct piece_bytes {
    uint8_t *at;   /* the range's first byte */
    uint64_t n;    /* how many; fewer than `length` if the object ends before */
    size_t before; /* bytes before `at` that a decoder may change while nothing else is decoded, and
                      must restore; 0 unless only this need has the bytes */
    bool absent;   /* the object to be opened does not exist */
    struct object *object; /* the object that was opened, owned by the piece; NULL if it was open */
    uint64_t size;         /* of it */
};

/* Gets a range of `stored`, which has an open object unless there is a key. FAILED: the error names
 * the file. */
enum need chunk_need_range(struct chunk_need *need, struct stored *stored,
                           const struct piece_range *range, struct piece_bytes *out,
                           struct err *err);

/* Does this need or another one hold a piece that has these bytes, or will have them? */
bool chunk_need_has(const struct chunk_need *need, const struct stored *stored, uint64_t offset,
                    uint64_t n);

/* Finds bytes [offset, offset + n) of the object in a piece that the need holds; false if there is
 * none. Any thread that has been given the need may call it. */
bool chunk_need_find(const struct chunk_need *need, const struct stored *stored, uint64_t offset,
                     uint64_t n, struct piece_bytes *out);

#endif
