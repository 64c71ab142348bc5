/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/chunk/block_cache.h"

#include "common/bytes.h"
#include "common/size.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Several parts with a lock each, so that a thread that copies seldom delays others. */
#define NPARTS 8
/* Longer planes are not kept. A slot has at least SLOT_MIN bytes, because the notes about many
 * short planes would take more memory than the planes. */
#define PLANE_MAX ((size_t)1 << 20)
#define SLOT_MIN  4096
#define NONE      UINT32_MAX
/* About how many blocks that were decoded once are remembered. */
#define NSEEN 16384

struct block_slot {
    struct block_cache_key key;
    uint64_t nbytes; /* 0: free */
    uint32_t next;   /* in its bucket; or NONE */
};

/* A ring of slots of one size, the length of the longest plane so far. */
struct block_ring {
    pthread_mutex_t lock;
    uint8_t *at; /* its share of the mapping */
    size_t size, slot_size;
    struct block_slot *slots; /* owned; nslots */
    uint32_t *buckets;        /* owned; nslots: the first slot of each, or NONE */
    uint32_t nslots, oldest;
};

struct block_cache {
    uint8_t *map;
    size_t size;
    struct block_ring parts[NPARTS];
    _Atomic uint32_t seen[NSEEN]; /* a part of the hash of a block that was put, or 0 */
};

struct block_cache *block_cache_new(size_t budget, struct err *err)
{
    struct block_cache *kept = calloc(1, sizeof *kept);
    void *map;

    if (kept == NULL) {
        err_nomem(err, "blocks that are kept");
        return NULL;
    }
    kept->size = size_max(budget, NPARTS);
    map = mmap(NULL, kept->size, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) {
        free(kept);
        err_set(err, ERR_MEMORY, "no memory for %zu bytes of blocks that are kept: lower --memory",
                budget);
        return NULL;
    }
    kept->map = map;
    for (unsigned i = 0; i < NPARTS; i++) {
        struct block_ring *part = &kept->parts[i];

        pthread_mutex_init(&part->lock, NULL);
        part->size = kept->size / NPARTS;
        part->at = kept->map + i * part->size;
    }
    return kept;
}

static void forget(struct block_ring *part)
{
    free(part->slots);
    free(part->buckets);
    part->slots = NULL;
    part->buckets = NULL;
    part->nslots = part->oldest = 0;
    part->slot_size = 0;
}

void block_cache_free(struct block_cache *kept)
{
    if (kept == NULL)
        return;
    for (unsigned i = 0; i < NPARTS; i++) {
        forget(&kept->parts[i]);
        pthread_mutex_destroy(&kept->parts[i].lock);
    }
    munmap(kept->map, kept->size);
    free(kept);
}

void block_cache_trim(struct block_cache *kept)
{
    for (unsigned i = 0; i < NPARTS; i++)
        pthread_mutex_lock(&kept->parts[i].lock);
    for (unsigned i = 0; i < NPARTS; i++)
        forget(&kept->parts[i]);
    for (unsigned i = 0; i < NSEEN; i++)
        atomic_store_explicit(&kept->seen[i], 0, memory_order_relaxed);
    madvise(kept->map, kept->size, MADV_DONTNEED);
    for (unsigned i = 0; i < NPARTS; i++)
        pthread_mutex_unlock(&kept->parts[i].lock);
}

static uint64_t hash_of(const struct block_cache_key *key)
{
    const uint8_t *at = (const uint8_t *)key;
    uint64_t hash = 0, word;

    _Static_assert(sizeof *key % sizeof word == 0, "a key is whole words");
    for (size_t i = 0; i < sizeof *key; i += sizeof word) {
        memcpy(&word, at + i, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

static struct block_ring *part_of(struct block_cache *kept, uint64_t hash)
{
    return &kept->parts[hash % NPARTS];
}

static uint32_t *bucket_of(const struct block_ring *part, uint64_t hash)
{
    return &part->buckets[(hash >> 32) % part->nslots];
}

static uint8_t *bytes_of(const struct block_ring *part, uint32_t slot)
{
    return part->at + slot * part->slot_size;
}

static uint32_t find(const struct block_ring *part, const struct block_cache_key *key,
                     uint64_t hash)
{
    uint32_t i = part->nslots == 0 ? NONE : *bucket_of(part, hash);

    while (i != NONE && memcmp(&part->slots[i].key, key, sizeof *key) != 0)
        i = part->slots[i].next;
    return i;
}

bool block_cache_get(struct block_cache *kept, const struct block_cache_key *key, uint64_t nbytes,
                     uint8_t *to)
{
    const uint64_t hash = hash_of(key);
    struct block_ring *part = part_of(kept, hash);
    uint32_t slot;
    bool found;

    pthread_mutex_lock(&part->lock);
    slot = find(part, key, hash);
    found = slot != NONE && part->slots[slot].nbytes == nbytes;
    if (found)
        memcpy(to, bytes_of(part, slot), nbytes);
    pthread_mutex_unlock(&part->lock);
    if (found)
        memset(to + nbytes, 0, nbytes);
    return found;
}

bool block_cache_has(struct block_cache *kept, const struct block_cache_key *key)
{
    const uint64_t hash = hash_of(key);
    struct block_ring *part = part_of(kept, hash);
    bool found;

    pthread_mutex_lock(&part->lock);
    found = find(part, key, hash) != NONE;
    pthread_mutex_unlock(&part->lock);
    return found;
}

/* Makes slots of this size, all free; none if there is no memory, or no room for one. */
static void lay_out(struct block_ring *part, size_t slot_size)
{
    const size_t n = part->size / slot_size;

    forget(part);
    if (n == 0)
        return;
    part->slots = calloc(n, sizeof *part->slots);
    part->buckets = malloc(n * sizeof *part->buckets);
    if (part->slots == NULL || part->buckets == NULL) {
        forget(part);
        return;
    }
    memset(part->buckets, 0xff, n * sizeof *part->buckets);
    part->nslots = (uint32_t)n;
    part->slot_size = slot_size;
}

/* Takes the oldest slot, and with it the place of its block. */
static uint32_t take_slot(struct block_ring *part)
{
    const uint32_t i = part->oldest;
    struct block_slot *slot = &part->slots[i];

    part->oldest = (i + 1) % part->nslots;
    if (slot->nbytes != 0) {
        uint32_t *at = bucket_of(part, hash_of(&slot->key));

        while (*at != i)
            at = &part->slots[*at].next;
        *at = slot->next;
    }
    return i;
}

/* Records that the block was decoded. True if it was recorded before. Only hashes are compared; if
 * two blocks have the same hash, the mistake costs one copy. */
static bool seen_before(struct block_cache *kept, uint64_t hash)
{
    const uint32_t tag = (uint32_t)(hash >> 32) | 1;
    _Atomic uint32_t *seen = &kept->seen[hash / NPARTS % NSEEN];

    return atomic_exchange_explicit(seen, tag, memory_order_relaxed) == tag;
}

/* Under the part's lock. */
static void put(struct block_ring *part, const struct block_cache_key *key, uint64_t hash,
                const struct planes *planes)
{
    uint32_t i, *bucket;

    if (planes->nbytes > part->slot_size)
        lay_out(part, size_max(planes->nbytes, SLOT_MIN));
    if (part->nslots == 0 || find(part, key, hash) != NONE)
        return;
    i = take_slot(part);
    bucket = bucket_of(part, hash);
    part->slots[i] = (struct block_slot){.key = *key, .nbytes = planes->nbytes, .next = *bucket};
    *bucket = i;
    memcpy(bytes_of(part, i), planes->at, planes->nbytes);
}

void block_cache_put(struct block_cache *kept, const struct block_cache_key *key,
                     const struct planes *planes)
{
    const uint64_t hash = hash_of(key);
    struct block_ring *part = part_of(kept, hash);

    if (!seen_before(kept, hash) || planes->n != PLANES_LOW || planes->nbytes == 0 ||
        planes->nbytes > PLANE_MAX ||
        !bytes_are_all(planes->at + planes->nbytes, planes->nbytes, 0))
        return;
    pthread_mutex_lock(&part->lock);
    put(part, key, hash, planes);
    pthread_mutex_unlock(&part->lock);
}
