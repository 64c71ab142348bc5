/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/chunk/chunk_table_impl.h"

#include "common/size.h"
#include "encoderd/zarr/chunk/pieces.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define BUCKETS ((size_t)512)
/* The most objects that stay open while no decoder holds them; also at most a sixteenth of the
 * files that the process may have open. To close each may take a trip to a server, and an idle
 * server closes them all on its main thread; some of an archive's hold memory. */
#define OPEN_MAX ((uint64_t)1024)
#define OPEN_FEW ((uint64_t)8)
/* The most chunks and shards, and the most memory of their indexes. */
#define STORED_MAX       ((size_t)4096)
#define INDEX_NBYTES_MAX ((uint64_t)16 << 20)

LIST_HEAD(stored_bucket, stored);
TAILQ_HEAD(stored_ages, stored);

/* How many arrays have a hint, found by a part of their identity. */
#define HINTS 64

struct chunk_table {
    struct pieces *pieces; /* owned */
    pthread_mutex_t lock;  /* covers everything below */
    struct stored_hint hints[HINTS];
    struct stored_bucket buckets[BUCKETS];
    struct stored_ages ages; /* the least recently used first */
    size_t n, nopen, nopen_max;
    uint64_t index_nbytes;
};

/* The least of `most` and that part of the files that the process may have open, but at least a
 * few. */
static size_t open_max(uint64_t most, unsigned part)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return OPEN_FEW;
    return (size_t)size_max(OPEN_FEW, size_min(most, limit.rlim_cur / part));
}

struct chunk_table *chunk_table_new(struct err *err)
{
    struct chunk_table *table = calloc(1, sizeof *table);

    if (table != NULL)
        table->pieces = pieces_new();
    if (table == NULL || table->pieces == NULL) {
        free(table);
        err_nomem(err, "a table of chunks");
        return NULL;
    }
    pthread_mutex_init(&table->lock, NULL);
    TAILQ_INIT(&table->ages);
    table->nopen_max = open_max(OPEN_MAX, 16);
    return table;
}

size_t chunk_table_keep_open(struct chunk_table *table, size_t n)
{
    const size_t most = open_max(n, 8);

    pthread_mutex_lock(&table->lock);
    if (table->nopen_max < most)
        table->nopen_max = most;
    n = table->nopen_max;
    pthread_mutex_unlock(&table->lock);
    return n;
}

/* ---- All under the lock ---- */

static struct stored_bucket *bucket_of(struct chunk_table *table, const struct stored_name *name)
{
    uint64_t hash, word;

    memcpy(&hash, name->identity, sizeof hash);
    hash ^= (uint64_t)(uintptr_t)name->store ^ (uint64_t)name->level << 56;
    for (unsigned d = 0; d < ZARR_DIMS_MAX; d++) {
        word = name->place[d] + d;
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return &table->buckets[hash % BUCKETS];
}

static void unlist(struct stored *stored)
{
    struct chunk_table *table = stored->table;

    LIST_REMOVE(stored, bucket);
    TAILQ_REMOVE(&table->ages, stored, age);
    stored->refs--;
    table->n--;
    table->nopen -= stored->is_open;
    table->index_nbytes -= stored->index_nbytes;
}

static bool is_over(const struct chunk_table *table)
{
    return table->n > STORED_MAX || table->nopen > table->nopen_max ||
           table->index_nbytes > INDEX_NBYTES_MAX;
}

/* Takes out what nobody holds, the least recently used first, until the table is within its limits,
 * or all of it. Returns a list linked through `age`. A chunk in a shard holds the shard, and was
 * used after it; so a shard is taken only after its chunks. */
static void take_old(struct chunk_table *table, bool all, struct stored_ages *out)
{
    struct stored *stored, *next;

    TAILQ_INIT(out);
    for (stored = TAILQ_FIRST(&table->ages); stored != NULL && (all || is_over(table));
         stored = next) {
        next = TAILQ_NEXT(stored, age);
        if (stored->refs > 1)
            continue;
        unlist(stored);
        TAILQ_INSERT_TAIL(out, stored, age);
    }
}

/* Takes out all that are absent and that nobody holds, so that nobody is learning more of them. */
static void take_absent(struct chunk_table *table, struct stored_ages *out)
{
    struct stored *stored, *next;

    TAILQ_INIT(out);
    for (stored = TAILQ_FIRST(&table->ages); stored != NULL; stored = next) {
        next = TAILQ_NEXT(stored, age);
        if (stored->refs > 1 || stored->step == STORED_NEW || stored->object != NULL)
            continue;
        unlist(stored);
        TAILQ_INSERT_TAIL(out, stored, age);
    }
}

/* ---- Without the lock ---- */

static void destroy(struct stored *stored)
{
    if (stored->outer == NULL)
        object_close(stored->object);
    free(stored->begins);
    free(stored->index);
    free(stored->label);
    pthread_mutex_destroy(&stored->lock);
    free(stored);
}

/* Destroys all in the list, and the shards that only they held. */
static void destroy_all(struct stored_ages *list)
{
    struct stored *stored, *outer;

    while ((stored = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, stored, age);
        outer = stored->outer;
        destroy(stored);
        stored_put(outer);
    }
}

void stored_put(struct stored *stored)
{
    struct chunk_table *table;
    struct stored_ages gone;
    bool last;

    if (stored == NULL)
        return;
    table = stored->table;
    TAILQ_INIT(&gone);
    pthread_mutex_lock(&table->lock);
    last = --stored->refs == 0;
    if (!last && is_over(table))
        take_old(table, false, &gone);
    pthread_mutex_unlock(&table->lock);
    if (last)
        TAILQ_INSERT_TAIL(&gone, stored, age);
    destroy_all(&gone);
}

struct stored *stored_hold(struct stored *stored)
{
    pthread_mutex_lock(&stored->table->lock);
    stored->refs++;
    pthread_mutex_unlock(&stored->table->lock);
    return stored;
}

void chunk_table_forget_absent(struct chunk_table *table)
{
    struct stored_ages gone;

    do { /* a chunk in a shard holds it */
        pthread_mutex_lock(&table->lock);
        take_absent(table, &gone);
        pthread_mutex_unlock(&table->lock);
        if (TAILQ_EMPTY(&gone))
            return;
        destroy_all(&gone);
    } while (true);
}

void chunk_table_trim(struct chunk_table *table)
{
    struct stored_ages gone;

    pieces_trim(table->pieces);
    do {
        pthread_mutex_lock(&table->lock);
        take_old(table, true, &gone);
        pthread_mutex_unlock(&table->lock);
        if (TAILQ_EMPTY(&gone))
            return;
        destroy_all(&gone);
    } while (true);
}

void chunk_table_free(struct chunk_table *table)
{
    if (table == NULL)
        return;
    pieces_wait(table->pieces);
    chunk_table_trim(table);
    pieces_free(table->pieces);
    pthread_mutex_destroy(&table->lock);
    free(table);
}

/* Both under the lock. */

static struct stored *find(struct chunk_table *table, const struct stored_name *name)
{
    struct stored *stored;

    LIST_FOREACH (stored, bucket_of(table, name), bucket)
        if (memcmp(&stored->name, name, sizeof *name) == 0)
            return stored;
    return NULL;
}

/* NULL if out of memory. */
static struct stored *add(struct chunk_table *table, const struct stored_name *name)
{
    struct stored *stored = calloc(1, sizeof *stored);

    if (stored == NULL)
        return NULL;
    pthread_mutex_init(&stored->lock, NULL);
    stored->name = *name;
    stored->table = table;
    stored->refs = 1;
    table->n++;
    LIST_INSERT_HEAD(bucket_of(table, name), stored, bucket);
    TAILQ_INSERT_TAIL(&table->ages, stored, age);
    return stored;
}

struct stored *table_get(struct chunk_table *table, const struct stored_name *name, struct err *err)
{
    struct stored_ages gone;
    struct stored *stored;

    pthread_mutex_lock(&table->lock);
    stored = find(table, name);
    if (stored != NULL) {
        TAILQ_REMOVE(&table->ages, stored, age);
        TAILQ_INSERT_TAIL(&table->ages, stored, age);
    } else {
        stored = add(table, name);
    }
    if (stored != NULL)
        stored->refs++;
    take_old(table, false, &gone);
    pthread_mutex_unlock(&table->lock);
    destroy_all(&gone);
    if (stored == NULL)
        err_nomem(err, "a chunk");
    return stored;
}

void table_note(struct stored *stored, bool is_open, uint64_t index_nbytes)
{
    struct chunk_table *table = stored->table;

    pthread_mutex_lock(&table->lock);
    is_open |= stored->is_open; /* another thread may have made a later step */
    index_nbytes = size_max(index_nbytes, stored->index_nbytes);
    table->nopen += is_open - stored->is_open;
    table->index_nbytes += index_nbytes - stored->index_nbytes;
    stored->is_open = is_open;
    stored->index_nbytes = index_nbytes;
    pthread_mutex_unlock(&table->lock);
}

struct pieces *table_pieces(const struct chunk_table *table)
{
    return table->pieces;
}

void chunk_table_set_budget(struct chunk_table *table, uint64_t nbytes)
{
    pthread_mutex_lock(&table->pieces->lock);
    table->pieces->budget = nbytes;
    pthread_mutex_unlock(&table->pieces->lock);
}

uint64_t chunk_table_nbytes(const struct chunk_table *table)
{
    uint64_t nbytes;

    pthread_mutex_lock(&table->pieces->lock);
    nbytes = table->pieces->used;
    pthread_mutex_unlock(&table->pieces->lock);
    return nbytes;
}

static struct stored_hint *hint_of(struct chunk_table *table, const uint8_t identity[32])
{
    return &table->hints[identity[0] % HINTS];
}

void table_hint_get(struct chunk_table *table, const uint8_t identity[32], struct stored_hint *out)
{
    pthread_mutex_lock(&table->lock);
    *out = *hint_of(table, identity);
    pthread_mutex_unlock(&table->lock);
    if (memcmp(out->identity, identity, sizeof out->identity) != 0)
        *out = (struct stored_hint){0};
}

void table_hint_put(struct chunk_table *table, const struct stored_hint *hint)
{
    pthread_mutex_lock(&table->lock);
    *hint_of(table, hint->identity) = *hint;
    pthread_mutex_unlock(&table->lock);
}
