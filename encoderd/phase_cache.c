#include "encoderd/phase_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Enough for the blocks that the spans under way meet, where a row lies in some hundred of them. */
#define NSLOTS 1024

struct slot {
    bool used;
    struct phase_key key;
    struct phase_rows rows;
};

struct phase_cache {
    pthread_mutex_t lock;
    struct slot slots[NSLOTS];
};

struct phase_cache *phase_cache_new(struct err *err)
{
    struct phase_cache *cache = calloc(1, sizeof *cache);

    if (cache == NULL)
        err_set(err, ERR_MEMORY, "out of memory");
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

static struct slot *slot_of(struct phase_cache *cache, const struct phase_key *key)
{
    uint64_t hash = key->vchunk;

    hash = hash * UINT64_C(0x9e3779b97f4a7c15) + key->schunk;
    hash = hash * UINT64_C(0x9e3779b97f4a7c15) + key->block;
    hash = hash * UINT64_C(0x9e3779b97f4a7c15) + key->first_row;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return &cache->slots[(hash >> 32) % NSLOTS];
}

static bool is_slot_of(const struct slot *slot, const struct phase_key *key)
{
    return slot->used && slot->key.vchunk == key->vchunk && slot->key.schunk == key->schunk &&
           slot->key.block == key->block && slot->key.first_row == key->first_row;
}

bool phase_cache_get(struct phase_cache *cache, const struct phase_key *key, struct phase_rows *out)
{
    const struct slot *slot = slot_of(cache, key);
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
    struct slot *slot = slot_of(cache, key);

    pthread_mutex_lock(&cache->lock);
    *slot = (struct slot){.used = true, .key = *key, .rows = *rows};
    pthread_mutex_unlock(&cache->lock);
}
