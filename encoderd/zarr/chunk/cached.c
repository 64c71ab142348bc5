/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/chunk/cached.h"

#include <string.h>

static void add_key(struct chunk_key *key, const void *data, size_t n)
{
    memcpy(key->bytes + key->n, data, n);
    key->n += n;
}

void chunk_key(const struct chunk *chunk, uint32_t block, struct chunk_key *key)
{
    key->n = 0;
    add_key(key, &chunk->array->store, sizeof(void *));
    add_key(key, &block, sizeof block);
    add_key(key, chunk->identity, sizeof chunk->identity);
    add_key(key, chunk->label, strlen(chunk->label));
}

int cached_copy(struct cached *shared, cache_fill *fill, uint64_t size, uint64_t at, uint8_t *to,
                size_t n, struct err *err)
{
    struct cache *cache = shared->decoder->cache;
    struct cache_entry *entry;
    struct chunk_key key;

    chunk_key(shared->chunk, shared->block, &key);
    if (cache_get(cache, key.bytes, key.n, (size_t)size, fill, shared, &entry, err) != 0)
        return -1;
    memcpy(to, cache_data(entry) + at, n);
    cache_put(cache, entry);
    return 0;
}

bool cached_is_not(const struct decoder *decoder, const struct chunk *chunk, uint32_t i)
{
    struct chunk_key key;

    chunk_key(chunk, i, &key);
    return !cache_has(decoder->cache, key.bytes, key.n);
}
