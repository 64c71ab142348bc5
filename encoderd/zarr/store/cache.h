/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache: decoded bytes that several threads need, decoded only once.
 *
 * It is used for chunks that can only be decoded whole (encoderd/zarr/chunk/chunk.h) and for
 * deflated members of a zip store. Each entry is a mapping of its own; all together never exceed
 * the budget. If room is needed, entries that nobody uses are freed, the least recently used first.
 * Thread-safe.
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
/* No entry may be in use, and no thread in cache_get. */
void cache_free(struct cache *cache);

size_t cache_budget(const struct cache *cache);
/* Bytes in it now. */
size_t cache_used(struct cache *cache);

/* Frees every entry that nobody uses. */
void cache_trim(struct cache *cache);

/* Fills `to`, n bytes that were zero. Returns 0 or -1. It is called without a lock. It must not
 * call cache_get on the same cache. */
typedef int cache_fill(void *arg, uint8_t *to, size_t n, struct err *err);

/*
 * The n bytes of `key` (copied). If they are missing, this thread fills them, or waits for another
 * thread that does. If the fill fails, all threads that wait get the error, and the next call tries
 * again. If there is no room, waits until others put entries back; so a thread must not hold an
 * entry when it calls. Because of both waits, the caller may have to wait for storage if any fill
 * does: of this entry, or of an entry that takes the room. n over the budget is ERR_BUDGET.
 */
int cache_get(struct cache *cache, const void *key, size_t key_size, size_t n, cache_fill *fill,
              void *arg, struct cache_entry **out, struct err *err);
/* The entry if it is filled, else NULL; never waits. The caller puts it back. */
struct cache_entry *cache_find(struct cache *cache, const void *key, size_t key_size);
/* Is the entry filled now? A caller that must not wait for storage asks first, because filling it
 * may wait for storage, and so may waiting for another thread that fills it. */
bool cache_has(struct cache *cache, const void *key, size_t key_size);
const uint8_t *cache_data(const struct cache_entry *entry);
void cache_put(struct cache *cache, struct cache_entry *entry);

#endif
