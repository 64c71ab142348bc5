/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spill: a temporary file for chunks that do not fit into the memory budget. Each is decoded into
 * it once.
 *
 * The file has no name and is opened before the sandbox is entered. Each chunk is an entry, found
 * by a key; one thread fills it while others wait for it, as in a cache. An entry has a few areas,
 * which are ranges of the sparse file. If the file would pass its limit, entries that nobody uses
 * are removed, the least recently used first, and their blocks go back to the file system at once.
 * Space is used only as bytes are written, so that a size that metadata claim costs nothing.
 *
 * The file is read and written with pread and pwrite, so that its pages belong to the page cache
 * and not to this process. Thread-safe.
 */
#ifndef VCZFS_ZARR_STORE_SPILL_H
#define VCZFS_ZARR_STORE_SPILL_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spill;

/* Takes over the descriptor. `limit` is the most bytes in the file; 0: half of the free space of
 * the file system, but at most 64 GiB. `dir` is for messages. Returns NULL if the descriptor is -1
 * or memory is out; then chunks that need the file are errors. */
struct spill *spill_new(int fd, const char *dir, uint64_t limit);
/* No entry may be in use, and no thread in spill_get. */
void spill_free(struct spill *spill);

/* Bytes in the file now. */
uint64_t spill_used(struct spill *spill);

#define SPILL_AREAS 4

struct spill_entry;

/* Makes the entry's contents. Returns 0 or -1. It is called without a lock, and must not call
 * spill_get. If it fails for lack of room while other fills run, it is called once more when it is
 * alone. */
typedef int spill_fill(void *arg, struct spill_entry *entry, struct err *err);

/* The entry of `key` (copied). `owner`: see spill_forget. If the fill fails, all threads that wait
 * get the error, and the next call tries again. A thread must not hold an entry when it calls. */
int spill_get(struct spill *spill, const void *owner, const void *key, size_t key_size,
              spill_fill *fill, void *arg, struct spill_entry **out, struct err *err);
void spill_put(struct spill_entry *entry);

/* Removes all entries of this owner; none may be in use. */
void spill_forget(struct spill *spill, const void *owner);

/* For the fill. spill_open makes area `number` empty, with room for `most` bytes. spill_move moves
 * the bytes of area `from` to `to`, and closes `from`. */
int spill_open(struct spill_entry *entry, unsigned number, uint64_t most, struct err *err);
void spill_close(struct spill_entry *entry, unsigned area);
void spill_move(struct spill_entry *entry, unsigned from, unsigned to);
/* Shortens the area to its first `nbytes` bytes. */
void spill_cut(struct spill_entry *entry, unsigned area, uint64_t nbytes);

/* Writes at `offset`, or after the last byte. More bytes than the area is for are ERR_CORRUPT. */
int spill_write(struct spill_entry *entry, unsigned area, uint64_t offset, const void *from,
                size_t n, struct err *err);
int spill_append(struct spill_entry *entry, unsigned area, const void *from, size_t n,
                 struct err *err);

/* Maps the whole area, writable, for a decompressor that looks far back; NULL is an error. Only
 * bytes below `until` of the last spill_back may be touched, because only they have blocks: so a
 * full disk is an error and not a signal. *room: how many bytes the area may have. */
uint8_t *spill_map(struct spill_entry *entry, unsigned area, uint64_t *room, struct err *err);
int spill_back(struct spill_entry *entry, unsigned area, uint64_t until, struct err *err);
void spill_unmap(const struct spill_entry *entry, unsigned area, uint8_t *map);

/* The length of the area, up to the last byte written. */
uint64_t spill_nbytes(const struct spill_entry *entry, unsigned area);
/* Reads exactly n bytes, which must have been written. */
int spill_read(const struct spill_entry *entry, unsigned area, uint64_t offset, void *to, size_t n,
               struct err *err);

#endif
