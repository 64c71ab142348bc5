/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_ranges: asks the kind of store for ranges of objects.
 */
#include "encoderd/zarr/store/fetch_threads.h"
#include "encoderd/zarr/store/get.h"

#include <pthread.h>

bool store_get_now(const struct store *store, struct store_range *range)
{
    if (!get_range(store, range, false))
        return false;
    range_answered(store, range, false);
    return true;
}

/* The state of a thread that waits for a range that other threads read. */
struct range_wait {
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool is_answered;
};

static void wake(struct store_range *range, void *arg)
{
    struct range_wait *waiter = arg;

    (void)range;
    pthread_mutex_lock(&waiter->lock);
    waiter->is_answered = true;
    pthread_cond_signal(&waiter->came);
    pthread_mutex_unlock(&waiter->lock);
}

static void get_in_parts(const struct store *store, struct store_range *range)
{
    struct range_wait waiter = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    void (*done)(struct store_range *, void *) = range->done;
    void *arg = range->arg;

    range->done = wake;
    range->arg = &waiter;
    store_submit(store, range);
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.is_answered)
        pthread_cond_wait(&waiter.came, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    range->done = done;
    range->arg = arg;
}

static bool has_parts(const struct store *store, const struct store_range *range)
{
    const uint32_t part = range->object != NULL ? range->object->part : store->part;

    return store->threads != NULL && part > 0 && range->length > part;
}

void store_get(const struct store *store, struct store_range *range)
{
    if (store_get_now(store, range))
        return;
    if (has_parts(store, range)) {
        get_in_parts(store, range);
        return;
    }
    get_range(store, range, true);
    range_answered(store, range, true);
}

void store_submit(const struct store *store, struct store_range *range)
{
    if (store->ops->submit != NULL)
        store->ops->submit(store, range);
    else
        fetch_submit(store->threads, range);
}

bool store_withdraw(const struct store *store, struct store_range *range)
{
    return store->ops->withdraw != NULL ? store->ops->withdraw(store, range)
                                        : fetch_withdraw(store->threads, range);
}

void store_counts(const struct store *store, struct store_counts *out)
{
    *out = (struct store_counts){
        .requests = atomic_load(&store->tally.requests),
        .bytes = atomic_load(&store->tally.bytes),
        .opened = atomic_load(&store->tally.opened),
        .waits = atomic_load(&store->tally.waits),
    };
    if (store->threads != NULL)
        out->most_in_flight = fetch_most_in_flight(store->threads);
}
