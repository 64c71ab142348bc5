/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spill: the entries of the temporary file, and how they share its room.
 */
#include "common/size.h"
#include "encoderd/zarr/store/damaged.h"
#include "encoderd/zarr/store/spill_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LIMIT_MAX (UINT64_C(64) << 30)
/* Areas begin at multiples of this, which is a multiple of every page and block size. */
#define AREA_ALIGN (UINT64_C(64) << 10)

/* Writers come first, so that a fill that wants to be alone is not delayed by fills that begin
 * later. */
static void init_locks(struct spill *spill)
{
    pthread_rwlockattr_t attr;

    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&spill->fills, &attr);
    pthread_rwlockattr_destroy(&attr);
    pthread_mutex_init(&spill->lock, NULL);
    pthread_cond_init(&spill->changed, NULL);
}

struct spill *spill_new(int fd, const char *dir, uint64_t limit)
{
    struct spill *spill = fd < 0 ? NULL : calloc(1, sizeof *spill);
    struct statvfs fs;

    if (spill != NULL)
        spill->dir = strdup(dir);
    if (spill == NULL || spill->dir == NULL) {
        free(spill);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (limit == 0 && fstatvfs(fd, &fs) == 0)
        limit = size_min((uint64_t)fs.f_bavail / 2 * fs.f_frsize, LIMIT_MAX);
    init_locks(spill);
    TAILQ_INIT(&spill->entries);
    spill->fd = fd;
    spill->limit = limit;
    /* With the signal ignored, a limit on file sizes makes a write fail. */
    signal(SIGXFSZ, SIG_IGN);
    return spill;
}

uint64_t spill_used(struct spill *spill)
{
    uint64_t used;

    pthread_mutex_lock(&spill->lock);
    used = spill->used;
    pthread_mutex_unlock(&spill->lock);
    return used;
}

/* ---- Areas: from here to spill_open everything is under the lock ---- */

/* Shortens the area to its first n bytes; n is at most its length. */
static void cut(struct spill *spill, struct spill_area *area, uint64_t n)
{
    const uint64_t begin = size_div_up(n, AREA_ALIGN) * AREA_ALIGN;
    const uint64_t end = size_div_up(area->used, AREA_ALIGN) * AREA_ALIGN;

    /* If the file system cannot make holes, the blocks stay allocated, and the next area at this
     * place overwrites them. */
    if (begin < end)
        (void)fallocate(spill->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        (off_t)(area->begin + begin), (off_t)(end - begin));
    spill->used -= area->used - n;
    area->used = n;
}

static void close_area(struct spill *spill, struct spill_area *area)
{
    cut(spill, area, 0);
    *area = (struct spill_area){0};
}

static void close_areas(struct spill_entry *entry)
{
    for (unsigned i = 0; i < SPILL_AREAS; i++)
        close_area(entry->spill, &entry->areas[i]);
}

static void evict(struct spill_entry *entry)
{
    TAILQ_REMOVE(&entry->spill->entries, entry, link);
    close_areas(entry);
    free(entry);
}

static bool may_go(const struct spill_entry *entry)
{
    return entry->refs == 0 && entry->state == SPILL_READY;
}

static void evict_until(struct spill *spill, uint64_t used)
{
    struct spill_entry *entry = TAILQ_LAST(&spill->entries, entries), *prev;

    for (; entry != NULL && spill->used > used; entry = prev) {
        prev = TAILQ_PREV(entry, entries, link);
        if (may_go(entry))
            evict(entry);
    }
}

/* Does another thread read an entry? It will soon put it back. */
static bool others_read(const struct spill *spill)
{
    const struct spill_entry *entry;

    TAILQ_FOREACH (entry, &spill->entries, link)
        if (entry->state == SPILL_READY && entry->refs > 0)
            return true;
    return false;
}

static int too_much(const struct spill *spill, struct err *err)
{
    char limit[16];

    return err_set(err, ERR_BUDGET,
                   "decoding it takes more room than the %s of temporary file there may be in %s: "
                   "raise --memory, set TMPDIR to a directory with more room, or rewrite the store "
                   "with smaller chunks",
                   size_format(spill->limit, limit, sizeof limit), spill->dir);
}

/* Counts the bytes of the area up to `until` as written. `until` is past those that are counted
 * already. */
static int charge(struct spill_entry *entry, struct spill_area *area, uint64_t until,
                  struct err *err)
{
    struct spill *const spill = entry->spill;
    const uint64_t more = until - area->used;

    if (more > spill->limit)
        return too_much(spill, err);
    for (evict_until(spill, spill->limit - more); more > spill->limit - spill->used;
         evict_until(spill, spill->limit - more)) {
        entry->starved = !others_read(spill);
        if (entry->starved)
            return too_much(spill, err);
        pthread_cond_wait(&spill->changed, &spill->lock);
    }
    area->used += more;
    spill->used += more;
    return 0;
}

/* The end of the first area that overlaps [begin, begin + room); 0 if there is none. */
static uint64_t collision(const struct spill *spill, uint64_t begin, uint64_t room)
{
    const struct spill_entry *entry;

    TAILQ_FOREACH (entry, &spill->entries, link)
        for (const struct spill_area *area = entry->areas; area < entry->areas + SPILL_AREAS;
             area++)
            if (begin < area->begin + area->room && area->begin < begin + room)
                return area->begin + area->room;
    return 0;
}

int spill_open(struct spill_entry *entry, unsigned number, uint64_t most, struct err *err)
{
    struct spill *const spill = entry->spill;
    /* No area can get larger than the limit of the file. */
    const uint64_t room = size_div_up(size_min(most, spill->limit) + 1, AREA_ALIGN) * AREA_ALIGN;
    uint64_t begin = 0, next;
    int rc = 0;

    pthread_mutex_lock(&spill->lock);
    close_area(spill, &entry->areas[number]);
    while ((next = collision(spill, begin, room)) > 0)
        begin = next;
    if (begin > (uint64_t)INT64_MAX - room)
        rc = too_much(spill, err);
    else
        entry->areas[number] = (struct spill_area){.begin = begin, .room = room, .most = most};
    pthread_mutex_unlock(&spill->lock);
    return rc;
}

void spill_close(struct spill_entry *entry, unsigned area)
{
    pthread_mutex_lock(&entry->spill->lock);
    close_area(entry->spill, &entry->areas[area]);
    pthread_mutex_unlock(&entry->spill->lock);
}

void spill_move(struct spill_entry *entry, unsigned from, unsigned to)
{
    pthread_mutex_lock(&entry->spill->lock);
    close_area(entry->spill, &entry->areas[to]);
    entry->areas[to] = entry->areas[from];
    entry->areas[from] = (struct spill_area){0};
    pthread_mutex_unlock(&entry->spill->lock);
}

void spill_cut(struct spill_entry *entry, unsigned area, uint64_t nbytes)
{
    pthread_mutex_lock(&entry->spill->lock);
    cut(entry->spill, &entry->areas[area], nbytes);
    pthread_mutex_unlock(&entry->spill->lock);
}

int spill_take_room(struct spill_entry *entry, unsigned number, uint64_t until, struct err *err)
{
    struct spill *const spill = entry->spill;
    struct spill_area *area = &entry->areas[number];
    int rc = 0;

    if (until > area->most)
        return err_set(err, ERR_CORRUPT,
                       "its data decompresses to more than a chunk has; " DAMAGED);
    pthread_mutex_lock(&spill->lock);
    if (until > area->room)
        rc = too_much(spill, err);
    else if (until > area->used)
        rc = charge(entry, area, until, err);
    pthread_mutex_unlock(&spill->lock);
    return rc;
}

bool spill_gave_way(struct spill *spill, int errnum)
{
    uint64_t before, after;

    if (errnum != ENOSPC && errnum != EDQUOT)
        return false;
    pthread_mutex_lock(&spill->lock);
    before = spill->used;
    evict_until(spill, 0);
    after = spill->used;
    pthread_mutex_unlock(&spill->lock);
    return after < before;
}

/* ---- Entries ---- */

static struct spill_entry *find(const struct spill *spill, const void *key, size_t key_size)
{
    struct spill_entry *entry;

    TAILQ_FOREACH (entry, &spill->entries, link)
        if (entry->key_size == key_size && memcmp(entry->key, key, key_size) == 0)
            return entry;
    return NULL;
}

static struct spill_entry *entry_new(struct spill *spill, const void *owner, const void *key,
                                     size_t key_size)
{
    struct spill_entry *entry = calloc(1, sizeof *entry + key_size);

    if (entry == NULL)
        return NULL;
    entry->spill = spill;
    entry->owner = owner;
    entry->key_size = key_size;
    memcpy(entry->key, key, key_size);
    TAILQ_INSERT_HEAD(&spill->entries, entry, link);
    return entry;
}

/* Tries again alone: when the other fills have ended, their room is free. */
static int run_fill(struct spill_entry *entry, spill_fill *fill, void *arg, struct err *why)
{
    struct spill *const spill = entry->spill;
    int rc;

    pthread_rwlock_rdlock(&spill->fills);
    rc = fill(arg, entry, why);
    pthread_rwlock_unlock(&spill->fills);
    if (rc == 0 || !entry->starved)
        return rc;
    for (unsigned i = 0; i < SPILL_AREAS; i++)
        spill_close(entry, i);
    pthread_rwlock_wrlock(&spill->fills);
    rc = fill(arg, entry, why);
    pthread_rwlock_unlock(&spill->fills);
    return rc;
}

/* Fills the entry, for which other threads may be waiting. The lock is held at the call and at the
 * return. */
static void fill_entry(struct spill_entry *entry, spill_fill *fill, void *arg)
{
    struct spill *const spill = entry->spill;
    struct err why = {0};
    int rc;

    pthread_mutex_unlock(&spill->lock);
    rc = run_fill(entry, fill, arg, &why);
    pthread_mutex_lock(&spill->lock);
    entry->state = SPILL_READY;
    if (rc != 0) {
        entry->state = SPILL_FAILED;
        entry->err = why;
        close_areas(entry);
        TAILQ_REMOVE(&spill->entries, entry, link);
    }
    pthread_cond_broadcast(&spill->changed);
}

static void unref(struct spill_entry *entry)
{
    struct spill *const spill = entry->spill;

    entry->refs--;
    if (entry->refs == 0 && entry->state == SPILL_FAILED)
        free(entry);
    pthread_cond_broadcast(&spill->changed);
}

/* With the lock held. */
static int get(struct spill *spill, const void *owner, const void *key, size_t key_size,
               spill_fill *fill, void *arg, struct spill_entry **out, struct err *err)
{
    struct spill_entry *entry = find(spill, key, key_size);
    const bool is_new = entry == NULL;

    if (is_new)
        entry = entry_new(spill, owner, key, key_size);
    if (entry == NULL)
        return err_nomem(err, "an entry of the temporary file");
    entry->refs++;
    if (is_new)
        fill_entry(entry, fill, arg);
    while (entry->state == SPILL_FILLING)
        pthread_cond_wait(&spill->changed, &spill->lock);
    if (entry->state == SPILL_FAILED) {
        if (err != NULL)
            *err = entry->err;
        unref(entry);
        return -1;
    }
    TAILQ_REMOVE(&spill->entries, entry, link);
    TAILQ_INSERT_HEAD(&spill->entries, entry, link);
    *out = entry;
    return 0;
}

int spill_get(struct spill *spill, const void *owner, const void *key, size_t key_size,
              spill_fill *fill, void *arg, struct spill_entry **out, struct err *err)
{
    int rc;

    *out = NULL;
    pthread_mutex_lock(&spill->lock);
    rc = get(spill, owner, key, key_size, fill, arg, out, err);
    pthread_mutex_unlock(&spill->lock);
    return rc;
}

void spill_put(struct spill_entry *entry)
{
    struct spill *const spill = entry->spill;

    pthread_mutex_lock(&spill->lock);
    unref(entry);
    pthread_mutex_unlock(&spill->lock);
}

void spill_forget(struct spill *spill, const void *owner)
{
    pthread_mutex_lock(&spill->lock);
    for (struct spill_entry *entry = TAILQ_FIRST(&spill->entries), *next; entry != NULL;
         entry = next) {
        next = TAILQ_NEXT(entry, link);
        if (entry->owner == owner && may_go(entry))
            evict(entry);
    }
    pthread_mutex_unlock(&spill->lock);
}

void spill_free(struct spill *spill)
{
    if (spill == NULL)
        return;
    while (!TAILQ_EMPTY(&spill->entries))
        evict(TAILQ_FIRST(&spill->entries));
    close(spill->fd);
    free(spill->dir);
    pthread_cond_destroy(&spill->changed);
    pthread_mutex_destroy(&spill->lock);
    pthread_rwlock_destroy(&spill->fills);
    free(spill);
}
