/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/spill.h"

#include "common/size.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LIMIT_MAX (UINT64_C(64) << 30)
/* Areas begin at multiples of it, which is one of any page and block. */
#define AREA_ALIGN (UINT64_C(64) << 10)
#define BACK_STEP  (UINT64_C(16) << 20)

enum state { FILLING, READY, FAILED };

struct area {
    bool open;
    uint64_t begin, room; /* in the file */
    uint64_t used;        /* bytes from its begin on that are counted as written */
};

struct spill_entry {
    struct spill *spill;             /* whose it is */
    struct spill_entry *prev, *next; /* in the list; a failed entry is in no list */
    enum state state;
    unsigned refs;
    bool starved; /* the fill did not get the room that it asked for */
    struct area areas[SPILL_AREAS];
    uint64_t facts[SPILL_FACTS];
    struct err err; /* FAILED: why */
    const void *owner;
    size_t key_size;
    uint8_t key[];
};

struct spill {
    pthread_mutex_t lock;
    pthread_cond_t changed;           /* an entry was filled, failed or let go; a fill ended */
    struct spill_entry *first, *last; /* used last, first */
    int fd;
    char *dir; /* owned */
    uint64_t limit, used;
    unsigned nfilling;
    bool exclusive; /* one fill has it all to itself */
};

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
    pthread_mutex_init(&spill->lock, NULL);
    pthread_cond_init(&spill->changed, NULL);
    spill->fd = fd;
    spill->limit = limit;
    /* A limit on files' sizes is an error of the write then. */
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

uint64_t *spill_facts(struct spill_entry *entry)
{
    return entry->facts;
}

static void list_take(struct spill_entry *entry)
{
    struct spill *const spill = entry->spill;

    *(entry->prev != NULL ? &entry->prev->next : &spill->first) = entry->next;
    *(entry->next != NULL ? &entry->next->prev : &spill->last) = entry->prev;
    entry->prev = entry->next = NULL;
}

static void list_put(struct spill_entry *entry)
{
    struct spill *const spill = entry->spill;

    entry->prev = NULL;
    entry->next = spill->first;
    *(spill->first != NULL ? &spill->first->prev : &spill->last) = entry;
    spill->first = entry;
}

/* Under the lock, as all that follows to spill_area_open. */
static void close_area(struct spill *spill, struct area *area)
{
    if (!area->open)
        return;
    /* Where holes cannot be made the blocks stay, and the next area in this place writes over
     * them. */
    if (area->used > 0)
        (void)fallocate(spill->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)area->begin,
                        (off_t)(size_div_up(area->used, AREA_ALIGN) * AREA_ALIGN));
    spill->used -= area->used;
    *area = (struct area){0};
}

static void close_areas(struct spill_entry *entry)
{
    for (unsigned i = 0; i < SPILL_AREAS; i++)
        close_area(entry->spill, &entry->areas[i]);
}

static void evict(struct spill_entry *entry)
{
    list_take(entry);
    close_areas(entry);
    free(entry);
}

static bool may_go(const struct spill_entry *entry)
{
    return entry->refs == 0 && entry->state == READY;
}

static void evict_until(struct spill *spill, uint64_t used)
{
    for (struct spill_entry *entry = spill->last, *prev; entry != NULL && spill->used > used;
         entry = prev) {
        prev = entry->prev;
        if (may_go(entry))
            evict(entry);
    }
}

/* Is somebody reading an entry, who will soon have done so? */
static bool others_read(const struct spill *spill)
{
    for (const struct spill_entry *entry = spill->first; entry != NULL; entry = entry->next)
        if (entry->state == READY && entry->refs > 0)
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

/* Counts bytes of the area up to `until` as written. */
static int charge(struct spill_entry *entry, struct area *area, uint64_t until, struct err *err)
{
    struct spill *const spill = entry->spill;
    uint64_t more = until > area->used ? until - area->used : 0;

    while (more > spill->limit - spill->used) {
        if (more > spill->limit)
            return too_much(spill, err);
        evict_until(spill, spill->limit - more);
        if (more <= spill->limit - spill->used)
            break;
        if (!others_read(spill)) {
            entry->starved = true;
            return too_much(spill, err);
        }
        pthread_cond_wait(&spill->changed, &spill->lock);
    }
    area->used += more;
    spill->used += more;
    return 0;
}

static bool collides(const struct spill *spill, uint64_t begin, uint64_t room, uint64_t *end)
{
    for (const struct spill_entry *entry = spill->first; entry != NULL; entry = entry->next)
        for (unsigned i = 0; i < SPILL_AREAS; i++) {
            const struct area *area = &entry->areas[i];

            if (area->open && begin < area->begin + area->room && area->begin < begin + room) {
                *end = area->begin + area->room;
                return true;
            }
        }
    return false;
}

int spill_area_open(struct spill_entry *entry, unsigned number, uint64_t room, struct err *err)
{
    struct spill *const spill = entry->spill;
    struct area *area = &entry->areas[number];
    uint64_t begin = 0;
    int rc = 0;

    pthread_mutex_lock(&spill->lock);
    close_area(spill, area);
    /* Whatever it is, it will not be more than that. */
    room = size_div_up(size_min(room, spill->limit) + 1, AREA_ALIGN) * AREA_ALIGN;
    while (collides(spill, begin, room, &begin))
        ;
    if (begin > (uint64_t)INT64_MAX - room)
        rc = too_much(spill, err);
    else
        *area = (struct area){.open = true, .begin = begin, .room = room};
    pthread_mutex_unlock(&spill->lock);
    return rc;
}

void spill_area_close(struct spill_entry *entry, unsigned area)
{
    struct spill *const spill = entry->spill;

    pthread_mutex_lock(&spill->lock);
    close_area(spill, &entry->areas[area]);
    pthread_mutex_unlock(&spill->lock);
}

static int take_room(struct spill_entry *entry, unsigned number, uint64_t until, struct err *err)
{
    struct spill *const spill = entry->spill;
    struct area *area = &entry->areas[number];
    int rc = 0;

    pthread_mutex_lock(&spill->lock);
    if (until > area->room)
        rc = too_much(spill, err);
    else if (until > area->used)
        rc = charge(entry, area, until, err);
    pthread_mutex_unlock(&spill->lock);
    return rc;
}

static int write_failed(const struct spill *spill, int errnum, struct err *err)
{
    if (errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG)
        return err_sys(err, ERR_BUDGET, errnum,
                       "it does not fit the memory budget, and cannot be decoded into a temporary "
                       "file in %s either: make room there, set TMPDIR to another directory, or "
                       "raise --memory",
                       spill->dir);
    return err_sys(err, ERR_IO, errnum, "the temporary file in %s", spill->dir);
}

/* The disk may have less than the limit: what is kept for later is the first to go. */
static bool gave_way(struct spill *spill, int errnum)
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

int spill_write(struct spill_entry *entry, unsigned area, uint64_t offset, const void *from,
                size_t n, struct err *err)
{
    struct spill *const spill = entry->spill;
    const uint8_t *at = from;

    if (take_room(entry, area, offset + n, err) != 0)
        return -1;
    while (n > 0) {
        const ssize_t put = pwrite(spill->fd, at, n, (off_t)(entry->areas[area].begin + offset));

        if (put < 0 && (errno == EINTR || gave_way(spill, errno)))
            continue;
        if (put <= 0)
            return write_failed(spill, put < 0 ? errno : ENOSPC, err);
        at += put;
        offset += (uint64_t)put;
        n -= (size_t)put;
    }
    return 0;
}

int spill_read(const struct spill_entry *entry, unsigned area, uint64_t offset, void *to, size_t n,
               struct err *err)
{
    struct spill *const spill = entry->spill;
    uint8_t *at = to;

    if (!size_range_ok(offset, n, entry->areas[area].used))
        return err_set(err, ERR_SYSTEM, "bytes of a temporary file that were not written");
    while (n > 0) {
        const ssize_t got = pread(spill->fd, at, n, (off_t)(entry->areas[area].begin + offset));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_sys(err, ERR_IO, got < 0 ? errno : EIO, "the temporary file in %s",
                           spill->dir);
        at += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

uint8_t *spill_map(struct spill_entry *entry, unsigned area, struct err *err)
{
    struct spill *const spill = entry->spill;
    void *map = mmap(NULL, entry->areas[area].room, PROT_READ | PROT_WRITE, MAP_SHARED, spill->fd,
                     (off_t)entry->areas[area].begin);

    if (map != MAP_FAILED)
        return map;
    err_sys(err, ERR_MEMORY, errno, "the temporary file in %s cannot be mapped", spill->dir);
    return NULL;
}

void spill_unmap(struct spill_entry *entry, unsigned area, uint8_t *map)
{
    if (map != NULL)
        munmap(map, entry->areas[area].room);
}

static int write_zeroes(struct spill_entry *entry, unsigned area, uint64_t begin, uint64_t end,
                        struct err *err)
{
    static const uint8_t zeroes[64 << 10];

    for (uint64_t at = begin; at < end;) {
        const size_t n = (size_t)size_min(sizeof zeroes, end - at);

        if (spill_write(entry, area, at, zeroes, n, err) != 0)
            return -1;
        at += n;
    }
    return 0;
}

int spill_back(struct spill_entry *entry, unsigned area, uint64_t until, struct err *err)
{
    struct spill *const spill = entry->spill;
    const struct area *here = &entry->areas[area];
    uint64_t begin = here->used, end;

    if (until <= begin)
        return 0;
    end = size_min(size_div_up(until, BACK_STEP) * BACK_STEP, here->room);
    if (until > end)
        return too_much(spill, err);
    if (take_room(entry, area, end, err) != 0)
        return -1;
    while (fallocate(spill->fd, 0, (off_t)(here->begin + begin), (off_t)(end - begin)) != 0) {
        if (errno == EINTR || gave_way(spill, errno))
            continue;
        /* Not every file system can. */
        return errno == EOPNOTSUPP || errno == ENOSYS ? write_zeroes(entry, area, begin, end, err)
                                                      : write_failed(spill, errno, err);
    }
    return 0;
}

static struct spill_entry *find(const struct spill *spill, const void *key, size_t key_size)
{
    struct spill_entry *entry = spill->first;

    while (entry != NULL && (entry->key_size != key_size || memcmp(entry->key, key, key_size) != 0))
        entry = entry->next;
    return entry;
}

static struct spill_entry *entry_new(struct spill *spill, const void *owner, const void *key,
                                     size_t key_size)
{
    struct spill_entry *entry = calloc(1, sizeof *entry + key_size);

    if (entry == NULL)
        return NULL;
    entry->refs = 1;
    entry->spill = spill;
    entry->owner = owner;
    entry->key_size = key_size;
    memcpy(entry->key, key, key_size);
    list_put(entry);
    return entry;
}

static int fill_beside(struct spill_entry *entry, spill_fill *fill, void *arg, struct err *why)
{
    struct spill *const spill = entry->spill;
    int rc;

    while (spill->exclusive)
        pthread_cond_wait(&spill->changed, &spill->lock);
    spill->nfilling++;
    pthread_mutex_unlock(&spill->lock);
    rc = fill(arg, entry, why);
    pthread_mutex_lock(&spill->lock);
    spill->nfilling--;
    pthread_cond_broadcast(&spill->changed);
    return rc;
}

/* Room that others took for their own fills is free again when they have ended. */
static int fill_alone(struct spill_entry *entry, spill_fill *fill, void *arg, struct err *why)
{
    struct spill *const spill = entry->spill;
    int rc;

    close_areas(entry);
    while (spill->exclusive)
        pthread_cond_wait(&spill->changed, &spill->lock);
    spill->exclusive = true;
    while (spill->nfilling > 0)
        pthread_cond_wait(&spill->changed, &spill->lock);
    pthread_mutex_unlock(&spill->lock);
    rc = fill(arg, entry, why);
    pthread_mutex_lock(&spill->lock);
    spill->exclusive = false;
    pthread_cond_broadcast(&spill->changed);
    return rc;
}

/* Others may be waiting for the entry by now. Called and returns with the lock held. */
static void fill_entry(struct spill_entry *entry, spill_fill *fill, void *arg)
{
    struct spill *const spill = entry->spill;
    struct err why = {0};
    int rc = fill_beside(entry, fill, arg, &why);

    if (rc != 0 && entry->starved)
        rc = fill_alone(entry, fill, arg, &why);
    entry->state = READY;
    if (rc != 0) {
        entry->state = FAILED;
        entry->err = why;
        list_take(entry);
        close_areas(entry);
    }
    pthread_cond_broadcast(&spill->changed);
}

static void unref(struct spill_entry *entry)
{
    struct spill *const spill = entry->spill;

    entry->refs--;
    if (entry->refs == 0 && entry->state == FAILED)
        free(entry);
    pthread_cond_broadcast(&spill->changed);
}

static int get(struct spill *spill, const void *owner, const void *key, size_t key_size,
               spill_fill *fill, void *arg, struct spill_entry **out, struct err *err)
{
    struct spill_entry *entry = find(spill, key, key_size);

    if (entry == NULL) {
        entry = entry_new(spill, owner, key, key_size);
        if (entry == NULL)
            return err_nomem(err, "an entry of the temporary file");
        fill_entry(entry, fill, arg);
    } else {
        entry->refs++;
        while (entry->state == FILLING)
            pthread_cond_wait(&spill->changed, &spill->lock);
    }
    if (entry->state == FAILED) {
        if (err != NULL)
            *err = entry->err;
        unref(entry);
        return -1;
    }
    list_take(entry);
    list_put(entry);
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
    for (struct spill_entry *entry = spill->first, *next; entry != NULL; entry = next) {
        next = entry->next;
        if (entry->owner == owner && may_go(entry))
            evict(entry);
    }
    pthread_mutex_unlock(&spill->lock);
}

void spill_free(struct spill *spill)
{
    if (spill == NULL)
        return;
    while (spill->first != NULL)
        evict(spill->first);
    close(spill->fd);
    free(spill->dir);
    pthread_cond_destroy(&spill->changed);
    pthread_mutex_destroy(&spill->lock);
    free(spill);
}
