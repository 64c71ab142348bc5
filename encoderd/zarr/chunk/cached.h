/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cached: bytes that are decoded once for all decoders, into their cache: a whole chunk, or one of
 * Blosc's blocks.
 */
#ifndef VCZFS_ZARR_CHUNK_CACHED_H
#define VCZFS_ZARR_CHUNK_CACHED_H

#include "encoderd/zarr/chunk/layouts.h"

struct cached {
    struct decoder *decoder;
    struct chunk *chunk;
    uint32_t block; /* of Blosc's; 0 for a whole chunk */
};

/* Identifies a chunk by its store, its array's name and metadata (identity) and its place (label),
 * and a block also by its number. */
struct chunk_key {
    uint8_t bytes[sizeof(void *) + sizeof(uint32_t) + 32 + CHUNK_LABEL_MAX];
    size_t n;
};
void chunk_key(const struct chunk *chunk, uint32_t block, struct chunk_key *key);

/* Copies bytes [at, at + n) of the entry, which has `size` bytes; `fill` makes it from a struct
 * cached if it is missing. The bytes are copied so that this decoder keeps no entry in use, for
 * which others would have to wait. */
int cached_copy(struct cached *shared, cache_fill *fill, uint64_t size, uint64_t at, uint8_t *to,
                size_t n, struct err *err);

/* Is the entry missing now? Another thread may be filling it. */
bool cached_is_not(const struct decoder *decoder, const struct chunk *chunk, uint32_t block);

#endif
