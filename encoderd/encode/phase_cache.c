/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/encode/phase_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Enough for the blocks of the spans in progress, if a row has about a hundred blocks. */
#define NSLOTS 1024
/* Blocks of one chunk, in all columns. */
#define NBLOCKS 256

struct phase_slot {
    bool used;
    struct phase_key key;
    struct phase_rows rows;
};

struct phase_cache {
    pthread_mutex_t lock;
    struct phase_slot slots[NSLOTS];
    /* zeroed: as.nstored is 0, so that no stored block is equal to it */
    struct phase_block blocks[NBLOCKS];
};

struct phase_cache *phase_cache_new(struct err *err)
{
    struct phase_cache *cache = calloc(1, sizeof *cache);

    if (cache == NULL)
        err_nomem(err, "a cache of phases");
    else
        pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void phase_cache_free(struct phase_cache *cache)
{
    if (cache == NULL)
        return;
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash + value) * UINT64_C(0x9e3779b97f4a7c15);
}

static struct phase_slot *slot_of(struct phase_cache *cache, const struct phase_key *key)
{
    const uint64_t hash =
        mix(mix(mix(mix(0, key->vchunk), key->schunk), key->block), key->first_row);

    return &cache->slots[(hash >> 32) % NSLOTS];
}

static bool is_slot_of(const struct phase_slot *slot, const struct phase_key *key)
{
    return slot->used && slot->key.vchunk == key->vchunk && slot->key.schunk == key->schunk &&
           slot->key.block == key->block && slot->key.first_row == key->first_row;
}

bool phase_cache_get(struct phase_cache *cache, const struct phase_key *key, struct phase_rows *out)
{
    const struct phase_slot *slot = slot_of(cache, key);
    bool found;

    pthread_mutex_lock(&cache->lock);
    found = is_slot_of(slot, key);
    if (found)
        *out = slot->rows;
    pthread_mutex_unlock(&cache->lock);
    return found;
}

void phase_cache_put(struct phase_cache *cache, const struct phase_key *key,
                     const struct phase_rows *rows)
{
    struct phase_slot *slot = slot_of(cache, key);

    pthread_mutex_lock(&cache->lock);
    *slot = (struct phase_slot){.used = true, .key = *key, .rows = *rows};
    pthread_mutex_unlock(&cache->lock);
}

static struct phase_block *place_of(struct phase_cache *cache, const struct phase_block *block)
{
    return &cache->blocks[(mix(mix(0, block->schunk), block->begin) >> 32) % NBLOCKS];
}

bool phase_cache_get_block(struct phase_cache *cache, struct phase_block *block)
{
    const struct phase_block *known = place_of(cache, block);
    bool found;

    pthread_mutex_lock(&cache->lock);
    found = known->schunk == block->schunk && known->begin == block->begin &&
            stored_blocks_equal(&known->as, &block->as);
    if (found)
        memcpy(block->seen, known->seen, sizeof block->seen);
    pthread_mutex_unlock(&cache->lock);
    return found;
}

void phase_cache_put_block(struct phase_cache *cache, const struct phase_block *block)
{
    pthread_mutex_lock(&cache->lock);
    *place_of(cache, block) = *block;
    pthread_mutex_unlock(&cache->lock);
}
