/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unfold_impl: the steps that unfold.c and unfold_blosc.c are made of (unfold_steps.c), and
 * unfold_blosc.
 */
#ifndef VCZFS_ZARR_CHUNK_UNFOLD_IMPL_H
#define VCZFS_ZARR_CHUNK_UNFOLD_IMPL_H

#include "encoderd/zarr/chunk/transpose.h"
#include "encoderd/zarr/chunk/unfold.h"
#include "encoderd/zarr/codec/lz.h"

/* A chunk on its way. */
struct unfold {
    struct decoder *decoder;
    struct chunk *chunk;
    const struct zarr_meta *meta;
    struct spill_entry *entry;
    /* Where its bytes are by now: in the store, or in area 0 or 1 of the file. */
    bool stored;
    unsigned area;
    uint64_t length;
    uint8_t *in, *out; /* windows in the scratch */
    size_t room;       /* of each */
};

/* Bytes [at, end) of an area, to be written from front to back. */
struct sink {
    struct unfold *u;
    unsigned area;
    uint64_t at, end;
};

enum packing {
    PACKED_PLAIN,
    PACKED_ZSTD,
    PACKED_GZIP,
    PACKED_ZLIB,
    /* Of these the result must fill the sink. */
    PACKED_LZ4,
    PACKED_BLOSCLZ,
    PACKED_SNAPPY,
};

/* arg: a struct unfold; of the chunk where it is by now. */
int unfold_read(void *arg, uint64_t offset, void *to, size_t n, struct err *err);
/* arg: a struct sink. More than fits is ERR_CORRUPT. */
int unfold_put(void *arg, const void *from, size_t n, struct err *err);

/* Decompresses bytes [from, from + n) of the chunk where it is by now. */
int unfold_unpack(struct unfold *u, enum packing packing, uint64_t from, uint64_t n,
                  struct sink *sink, struct err *err);

/* The n bytes from `from` on, as they are. */
int unfold_copy(struct unfold *u, uint64_t from, uint64_t n, struct sink *sink, struct err *err);

/* What does not decompress. */
int unfold_broken(struct err *err);

/* The same two for lz: bytes from `from` on, and a sink. */
struct unfold_part {
    struct unfold *u;
    uint64_t from;
    struct sink *sink;
};
int unfold_part_read(void *arg, uint64_t offset, void *to, size_t n, struct err *err);
int unfold_part_put(void *arg, const void *from, size_t n, struct err *err);

/* A step begins with an empty sink in the other area, and ends by making its `nbytes` the chunk. */
int unfold_begin(struct unfold *u, uint64_t room, struct sink *sink, struct err *err);
void unfold_end(struct unfold *u, const struct sink *sink, uint64_t nbytes);

/* Turns what is here, or in an area from its begin on, to where the sink is. The caller says shape,
 * axes and size. */
struct unfold_turn {
    struct unfold *u;
    bool here;
    unsigned area;
    struct sink sink;
};
int unfold_turn(const struct unfold_turn *ends, struct transpose *turn, struct err *err);

/* Undoes Blosc. Not more than `most` bytes, or just that many where it is exact. */
int unfold_blosc(struct unfold *u, uint64_t most, bool exact, struct err *err);

#endif
