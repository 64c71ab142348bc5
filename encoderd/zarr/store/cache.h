/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache: decoded bytes that several threads want, decoded once.
 *
 * For chunks that can only be decoded whole (encoderd/zarr/chunk/chunk.h) and for deflated members
 * of a zip store. Memory is mmapped, one mapping an entry, and never more than the budget; what
 * nobody holds is given back when room is needed, the longest unused first. Thread-safe throughout.
 */
#ifndef VCZFS_ZARR_STORE_CACHE_H
#define VCZFS_ZARR_STORE_CACHE_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;
struct cache_entry;

struct cache *cache_new(size_t budget, struct err *err);
/* No entry may be held, and no thread be in cache_get. */
void cache_free(struct cache *cache);

size_t cache_budget(const struct cache *cache);
/* Bytes in it now. */
size_t cache_used(struct cache *cache);

/* Gives up every entry that nobody holds. */
void cache_trim(struct cache *cache);

/* Fills `to`, n bytes that were zero. 0 or -1; called without any lock. It must not call cache_get
 * on the same cache. */
typedef int cache_fill(void *arg, uint8_t *to, size_t n, struct err *err);

/*
 * The n bytes known by `key` (copied), filled by this thread, or by another for which this one
 * waits. A failure is reported to all that wait for it and then forgotten. Waits for others to let
 * go where there is no room, so a thread must hold no entry when it calls. So whoever calls may
 * wait for storage, if anybody's fill does, of this entry or of one that has the room. n over the
 * budget is ERR_BUDGET.
 */
int cache_get(struct cache *cache, const void *key, size_t key_size, size_t n, cache_fill *fill,
              void *arg, struct cache_entry **out, struct err *err);
/* The entry if it is filled, or NULL; does not wait. The caller puts it back. */
struct cache_entry *cache_find(struct cache *cache, const void *key, size_t key_size);
/* Is it filled, for now? Who fills one may wait for storage, and who waits for that would, too. */
bool cache_has(struct cache *cache, const void *key, size_t key_size);
const uint8_t *cache_data(const struct cache_entry *entry);
void cache_put(struct cache *cache, struct cache_entry *entry);

#endif
