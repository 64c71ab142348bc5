/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: notices at each read that a store has changed since the view was opened.
 *
 * A file system stamps a file with the time of its last change (ctime), which nobody can set. If a
 * file's ctime, looked at after a read, is not later than the view's opening, the bytes are those
 * of the opening; otherwise the read is an error. That costs one fstat for each piece that is
 * decoded, needs no memory, and finds every way to change a file: rewriting it in place, renaming
 * or linking another one over it, with its old modification time or without. The price is that what
 * changes a file's ctime and not its contents (chmod, chown, a hard link more or less) counts as a
 * change.
 *
 * Clocks. The kernel stamps files with a clock that ticks every few milliseconds, and some file
 * systems keep whole seconds. So store_settle waits, once, until the file system's next tick: what
 * is changed from then on is stamped later than the opening. A file system on another machine uses
 * that machine's clock. If that clock is ahead, files may seem to be changed after the opening;
 * store_opened allows for the difference that was seen at the opening. If it is behind, changes go
 * unnoticed in the first moments of a view, for as long as it is behind.
 */
#include "encoderd/zarr/store/watch.h"

#include "encoderd/zarr/store/fail.h"

#include <sys/stat.h>

#define SECOND     INT64_C(1000000000)
#define WAIT_NS    INT64_C(1000000)
#define WAITS_MOST 2200 /* a little more than FAT's resolution of two seconds */

int64_t store_ns(const struct timespec *ts)
{
    int64_t ns;

    if (__builtin_mul_overflow((int64_t)ts->tv_sec, SECOND, &ns) ||
        __builtin_add_overflow(ns, (int64_t)ts->tv_nsec, &ns))
        return ts->tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return store_ns(&ts);
}

void store_watch_init(struct store_watch *watch)
{
    watch->opened = clock_ns(CLOCK_REALTIME);
    atomic_init(&watch->since, INT64_MAX);
    atomic_init(&watch->latest, INT64_MIN);
    atomic_init(&watch->fractions, false);
}

/* Records the latest time that was seen, and whether the file system has fractions of a second. */
static void note(struct store_watch *watch, const struct stat *st)
{
    const int64_t changed = store_ns(&st->st_ctim);
    int64_t latest = atomic_load_explicit(&watch->latest, memory_order_relaxed);

    while (changed > latest && !atomic_compare_exchange_weak(&watch->latest, &latest, changed))
        ;
    if (st->st_ctim.tv_nsec != 0)
        atomic_store_explicit(&watch->fractions, true, memory_order_relaxed);
}

void store_add_facts(const struct stat *st, void (*add)(const void *data, size_t n, void *arg),
                     void *arg)
{
    const uint64_t facts[5] = {S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
                               (uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec,
                               (uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec};

    add(facts, sizeof facts, arg);
}

int store_watch_check(const struct store *store, const char *key, const struct stat *st,
                      struct err *err)
{
    struct store_watch *watch = &((struct store *)(uintptr_t)store)->watch;
    const int64_t since = atomic_load_explicit(&watch->since, memory_order_relaxed);

    if (since == INT64_MAX) {
        note(watch, st);
        return 0;
    }
    if (store_ns(&st->st_ctim) <= since)
        return 0;
    return store_fail(store, key, err, ERR_CHANGED,
                      "it was changed %.3f s after the store was opened: unmount, and mount again",
                      ((double)store_ns(&st->st_ctim) - (double)since) / 1e9);
}

int64_t store_opened(const struct store *store, int64_t *ahead)
{
    const int64_t latest = atomic_load(&store->watch.latest), opened = store->watch.opened;

    *ahead = latest > opened ? latest - opened : 0;
    return latest > opened ? latest : opened;
}

void store_watch_from(struct store *store, int64_t since)
{
    atomic_store_explicit(&store->watch.since, since, memory_order_relaxed);
}

void store_settle(const struct store *store)
{
    const struct timespec wait = {.tv_nsec = WAIT_NS};
    const int64_t tick = atomic_load(&store->watch.fractions) ? 1 : SECOND;

    for (int i = 0; i < WAITS_MOST; i++) {
        const int64_t now = clock_ns(CLOCK_REALTIME_COARSE);

        if (now / tick * tick > store->watch.opened)
            return;
        nanosleep(&wait, NULL);
    }
}
