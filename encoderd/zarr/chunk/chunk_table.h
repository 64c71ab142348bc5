/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk_table: where chunks lie and how they are cut, known once for all decoders.
 *
 * What is learned when a chunk is first read (its object, which stays open, its place in a shard,
 * the shard's index, Blosc's header and block index, or that there is none) is kept here while
 * there is room. What is used longest ago goes first; what a decoder holds stays. Bounded in open
 * files, in bytes of indexes and in chunks. Thread-safe throughout.
 */
#ifndef VCZFS_ZARR_CHUNK_CHUNK_TABLE_H
#define VCZFS_ZARR_CHUNK_CHUNK_TABLE_H

#include "encoderd/zarr/meta/array.h"

struct chunk_table;

/* A store must not be freed while a table knows chunks of it: trim or free the table first. Arrays
 * may come and go. */
struct chunk_table *chunk_table_new(struct err *err);

/* Lets it keep `n` files open, if it would keep fewer, or as many as an eighth of what the process
 * may have; returns how many it keeps. While nobody else uses it. */
size_t chunk_table_keep_open(struct chunk_table *table, size_t n);

/* Nobody may hold anything of it. NULL is ignored. */
void chunk_table_free(struct chunk_table *table);

/* Forgets what nobody holds. */
void chunk_table_trim(struct chunk_table *table);

/* The bound of stored bytes that are fetched ahead of decoding (chunk_need.h), on the way and
 * there; 64 MiB until this is called. And how many they are. */
void chunk_table_set_budget(struct chunk_table *table, uint64_t nbytes);
uint64_t chunk_table_nbytes(const struct chunk_table *table);

/* What the chunk at `index` (checked) is called: the object's key and, in a shard, the chunk's
 * place in it. */
#define CHUNK_LABEL_MAX (ZARR_KEY_MAX + 128)
void chunk_label(const struct zarr_array *array, const uint64_t *index,
                 char label[CHUNK_LABEL_MAX]);

/* Is the chunk at `index` (checked) there? Looks at names, and at the index where there is
 * sharding. A table that is NULL, because there was no memory for it, is an error then. */
int chunk_is_stored(struct chunk_table *table, const struct zarr_array *array,
                    const uint64_t *index, bool *is_stored, struct err *err);

#endif
