/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spill: chunks that no memory budget holds, decoded once into a temporary file.
 *
 * One file without a name, opened before the sandbox is entered. Each chunk is an entry, known by a
 * key, filled by one thread while others wait for it, as in a cache; an entry has a few areas,
 * which are ranges of the sparse file. What nobody holds gives way, the longest unused first, when
 * the file would pass its limit, and its blocks go back to the file system at once. Space is taken
 * as bytes are written: what metadata claims costs nothing.
 *
 * The file is read and written with pread and pwrite, so that its pages are the page cache's and
 * not this process's. Thread-safe throughout.
 */
#ifndef VCZFS_ZARR_STORE_SPILL_H
#define VCZFS_ZARR_STORE_SPILL_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spill;

/* The file has at most `limit` bytes in it; 0: half of what the file system has free, and no more
 * than 64 GiB. `dir` is for messages. Takes the descriptor; NULL if that is -1, or out of memory:
 * then there is no such file, and chunks that want one are errors. */
struct spill *spill_new(int fd, const char *dir, uint64_t limit);
/* No entry may be held, and no thread be in spill_get. */
void spill_free(struct spill *spill);

/* Bytes in the file now. */
uint64_t spill_used(struct spill *spill);

#define SPILL_AREAS 4

struct spill_entry;

/* Makes the entry's contents. 0 or -1; called without any lock; it must not call spill_get. A fill
 * that fails for want of room, while others go on beside it, is called once more when it is
 * alone. */
typedef int spill_fill(void *arg, struct spill_entry *entry, struct err *err);

/* The entry known by `key` (copied). `owner`: see spill_forget. A failure is reported to all that
 * wait for it and then forgotten. A thread must hold no entry when it calls. */
int spill_get(struct spill *spill, const void *owner, const void *key, size_t key_size,
              spill_fill *fill, void *arg, struct spill_entry **out, struct err *err);
void spill_put(struct spill_entry *entry);

/* Gives up all entries of this owner; none may be held. */
void spill_forget(struct spill *spill, const void *owner);

/* For the fill: an empty area for that many bytes, whatever it was before; and one whose bytes
 * become those of another, which is closed then. */
int spill_open(struct spill_entry *entry, unsigned number, uint64_t most, struct err *err);
void spill_close(struct spill_entry *entry, unsigned area);
void spill_move(struct spill_entry *entry, unsigned from, unsigned to);
/* Keeps the first `nbytes` of those that it has. */
void spill_cut(struct spill_entry *entry, unsigned area, uint64_t nbytes);

/* At any place, or after what there is; more than the area is for is ERR_CORRUPT. */
int spill_write(struct spill_entry *entry, unsigned area, uint64_t offset, const void *from,
                size_t n, struct err *err);
int spill_append(struct spill_entry *entry, unsigned area, const void *from, size_t n,
                 struct err *err);

/* The whole area, writable, for what must look back far; NULL is an error. Only bytes below `until`
 * of the last spill_back may be touched: they have blocks, so that a full disk is an error and not
 * a signal. *room: how many there may be. */
uint8_t *spill_map(struct spill_entry *entry, unsigned area, uint64_t *room, struct err *err);
int spill_back(struct spill_entry *entry, unsigned area, uint64_t until, struct err *err);
void spill_unmap(const struct spill_entry *entry, unsigned area, uint8_t *map);

/* Bytes up to the last one that was written. */
uint64_t spill_nbytes(const struct spill_entry *entry, unsigned area);
/* Exactly n bytes that have been written. */
int spill_read(const struct spill_entry *entry, unsigned area, uint64_t offset, void *to, size_t n,
               struct err *err);

#endif
