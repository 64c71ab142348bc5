/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum state { FILLING, READY, FAILED };

struct cache_entry {
    struct cache_entry *prev, *next; /* in the cache's list; a failed entry is in no list */
    enum state state;
    unsigned refs;
    uint8_t *data; /* mmapped; NULL if n is 0 */
    size_t n;
    struct err err; /* FAILED: why */
    size_t key_size;
    uint8_t key[];
};

struct cache {
    pthread_mutex_t lock;
    pthread_cond_t changed;    /* an entry was filled, has failed, or was put back */
    struct cache_entry *first; /* used last */
    struct cache_entry *last;
    size_t budget, used;
};

struct cache *cache_new(size_t budget, struct err *err)
{
    struct cache *cache = calloc(1, sizeof *cache);

    if (cache == NULL) {
        err_nomem(err, "a cache");
        return NULL;
    }
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->changed, NULL);
    cache->budget = budget;
    return cache;
}

static void list_take(struct cache *cache, struct cache_entry *entry)
{
    *(entry->prev != NULL ? &entry->prev->next : &cache->first) = entry->next;
    *(entry->next != NULL ? &entry->next->prev : &cache->last) = entry->prev;
    entry->prev = entry->next = NULL;
}

static void list_put(struct cache *cache, struct cache_entry *entry)
{
    entry->prev = NULL;
    entry->next = cache->first;
    *(cache->first != NULL ? &cache->first->prev : &cache->last) = entry;
    cache->first = entry;
}

static void used_last(struct cache *cache, struct cache_entry *entry)
{
    list_take(cache, entry);
    list_put(cache, entry);
}

static void release_data(struct cache *cache, struct cache_entry *entry)
{
    if (entry->data != NULL)
        munmap(entry->data, entry->n);
    entry->data = NULL;
    cache->used -= entry->n;
    entry->n = 0;
}

static void evict(struct cache *cache, struct cache_entry *entry)
{
    list_take(cache, entry);
    release_data(cache, entry);
    free(entry);
}

void cache_trim(struct cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    for (struct cache_entry *entry = cache->first, *next; entry != NULL; entry = next) {
        next = entry->next;
        if (entry->refs == 0)
            evict(cache, entry);
    }
    pthread_mutex_unlock(&cache->lock);
}

void cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    cache_trim(cache);
    pthread_mutex_destroy(&cache->lock);
    pthread_cond_destroy(&cache->changed);
    free(cache);
}

size_t cache_budget(const struct cache *cache)
{
    return cache->budget;
}

size_t cache_used(struct cache *cache)
{
    size_t used;

    pthread_mutex_lock(&cache->lock);
    used = cache->used;
    pthread_mutex_unlock(&cache->lock);
    return used;
}

static struct cache_entry *find(const struct cache *cache, const void *key, size_t key_size)
{
    struct cache_entry *entry = cache->first;

    while (entry != NULL && (entry->key_size != key_size || memcmp(entry->key, key, key_size) != 0))
        entry = entry->next;
    return entry;
}

/* False if entries that are in use leave no room. */
static bool make_room(struct cache *cache, size_t n)
{
    for (struct cache_entry *entry = cache->last, *prev;
         entry != NULL && n > cache->budget - cache->used; entry = prev) {
        prev = entry->prev;
        if (entry->refs == 0)
            evict(cache, entry);
    }
    return n <= cache->budget - cache->used;
}

/* The entry of this key. If there is none, makes room for one and returns NULL. */
static struct cache_entry *find_or_room(struct cache *cache, const void *key, size_t key_size,
                                        size_t n)
{
    for (;;) {
        struct cache_entry *entry = find(cache, key, key_size);

        if (entry != NULL || make_room(cache, n))
            return entry;
        pthread_cond_wait(&cache->changed, &cache->lock);
    }
}

static struct cache_entry *entry_new(struct cache *cache, const void *key, size_t key_size,
                                     size_t n)
{
    struct cache_entry *entry = calloc(1, sizeof *entry + key_size);
    void *map = NULL;

    if (entry == NULL)
        return NULL;
    if (n > 0)
        map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        free(entry);
        return NULL;
    }
    entry->data = map;
    entry->n = n;
    entry->refs = 1;
    entry->key_size = key_size;
    memcpy(entry->key, key, key_size);
    cache->used += n;
    list_put(cache, entry);
    return entry;
}

static void unref(struct cache *cache, struct cache_entry *entry)
{
    entry->refs--;
    if (entry->refs == 0 && entry->state == FAILED)
        free(entry);
    pthread_cond_broadcast(&cache->changed);
}

/* Fills the entry, for which other threads may be waiting. The lock is held at the call and at the
 * return. */
static void fill_entry(struct cache *cache, struct cache_entry *entry, cache_fill *fill, void *arg)
{
    struct err why = {0};
    int rc;

    pthread_mutex_unlock(&cache->lock);
    rc = fill(arg, entry->data, entry->n, &why);
    pthread_mutex_lock(&cache->lock);
    entry->state = READY;
    if (rc != 0) {
        entry->state = FAILED;
        entry->err = why;
        list_take(cache, entry);
        release_data(cache, entry);
    }
    pthread_cond_broadcast(&cache->changed);
}

/* With the lock held. */
static int get(struct cache *cache, const void *key, size_t key_size, size_t n, cache_fill *fill,
               void *arg, struct cache_entry **out, struct err *err)
{
    struct cache_entry *entry = find_or_room(cache, key, key_size, n);

    if (entry == NULL) {
        entry = entry_new(cache, key, key_size, n);
        if (entry == NULL)
            return err_nomem(err, "%zu bytes", n);
        fill_entry(cache, entry, fill, arg);
    } else {
        entry->refs++;
        while (entry->state == FILLING)
            pthread_cond_wait(&cache->changed, &cache->lock);
    }
    if (entry->state == FAILED) {
        if (err != NULL)
            *err = entry->err;
        unref(cache, entry);
        return -1;
    }
    used_last(cache, entry);
    *out = entry;
    return 0;
}

int cache_get(struct cache *cache, const void *key, size_t key_size, size_t n, cache_fill *fill,
              void *arg, struct cache_entry **out, struct err *err)
{
    int rc;

    *out = NULL;
    if (n > cache->budget)
        return err_set(err, ERR_BUDGET,
                       "%zu bytes are more than the %zu that may be kept: raise --memory", n,
                       cache->budget);
    pthread_mutex_lock(&cache->lock);
    rc = get(cache, key, key_size, n, fill, arg, out, err);
    pthread_mutex_unlock(&cache->lock);
    return rc;
}

struct cache_entry *cache_find(struct cache *cache, const void *key, size_t key_size)
{
    struct cache_entry *entry;

    pthread_mutex_lock(&cache->lock);
    entry = find(cache, key, key_size);
    if (entry != NULL && entry->state == READY) {
        entry->refs++;
        used_last(cache, entry);
    } else {
        entry = NULL;
    }
    pthread_mutex_unlock(&cache->lock);
    return entry;
}

bool cache_has(struct cache *cache, const void *key, size_t key_size)
{
    const struct cache_entry *entry;
    bool has;

    pthread_mutex_lock(&cache->lock);
    entry = find(cache, key, key_size);
    has = entry != NULL && entry->state == READY;
    pthread_mutex_unlock(&cache->lock);
    return has;
}

const uint8_t *cache_data(const struct cache_entry *entry)
{
    return entry->data;
}

void cache_put(struct cache *cache, struct cache_entry *entry)
{
    pthread_mutex_lock(&cache->lock);
    unref(cache, entry);
    pthread_mutex_unlock(&cache->lock);
}
