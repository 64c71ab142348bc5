/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk_table: where chunks are and how they are cut, found out once for all decoders.
 *
 * What the first read of a chunk finds out is kept here while there is room: its object, which
 * stays open; its place in a shard; the shard's index; Blosc's header and block index; or that the
 * chunk is absent. The least recently used goes first; what a decoder holds stays. The numbers of
 * open files and of chunks, and the bytes of indexes, are limited. Thread-safe.
 */
#ifndef VCZFS_ZARR_CHUNK_CHUNK_TABLE_H
#define VCZFS_ZARR_CHUNK_CHUNK_TABLE_H

#include "encoderd/zarr/meta/array.h"

struct chunk_table;

/* A store must not be freed while a table knows chunks of it: trim or free the table first. Arrays
 * may be freed. */
struct chunk_table *chunk_table_new(struct err *err);

/* Lets the table keep at least `n` files open, but at most an eighth of what the process may have
 * open. Returns how many it keeps. */
size_t chunk_table_keep_open(struct chunk_table *table, size_t n);

/* Nothing of the table may be held. NULL is ignored. */
void chunk_table_free(struct chunk_table *table);

/* Forgets what nobody holds. */
void chunk_table_trim(struct chunk_table *table);

/* Forgets that chunks are absent, where nobody holds them: they may have been stored since. */
void chunk_table_forget_absent(struct chunk_table *table);

/* Limits the stored bytes in pieces (chunk_need.h), on the way and there; 64 MiB until this is
 * called. The other function returns how many there are. */
void chunk_table_set_budget(struct chunk_table *table, uint64_t nbytes);
uint64_t chunk_table_nbytes(const struct chunk_table *table);

/* The name of the chunk at `index` (checked): its object's key and, in a shard, its place there. */
#define CHUNK_LABEL_MAX (ZARR_KEY_MAX + 128)
void chunk_label(const struct zarr_array *array, const uint64_t *index,
                 char label[CHUNK_LABEL_MAX]);

/* What identifies the present state of the object that the chunk at `index` (checked) is, or lies
 * in (store_identity). The object is opened for that, and stays open in the table for readers. */
int chunk_identity(struct chunk_table *table, const struct zarr_array *array, const uint64_t *index,
                   void (*add)(const void *data, size_t n, void *arg), void *arg, struct err *err);

/* Is the chunk at `index` (checked) stored? Looks at names, and with sharding at the index. The
 * table may be NULL if there was no memory for it; that is an error here. */
int chunk_is_stored(struct chunk_table *table, const struct zarr_array *array,
                    const uint64_t *index, bool *is_stored, struct err *err);

#endif
