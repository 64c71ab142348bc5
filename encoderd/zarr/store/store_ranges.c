/*
 * store_ranges: ranges of objects, asked of whatever kind of store there is.
 */
#include "encoderd/zarr/store/fetch_threads.h"
#include "encoderd/zarr/store/get.h"

bool store_get_now(const struct store *store, struct store_range *range)
{
    if (!get_range(store, range, false))
        return false;
    range_answered(store, range, false);
    return true;
}

void store_get(const struct store *store, struct store_range *range)
{
    if (store_get_now(store, range))
        return;
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

unsigned store_in_flight_max(const struct store *store)
{
    return store->ops->in_flight_max != NULL ? store->ops->in_flight_max(store)
                                             : fetch_in_flight_max(store->threads);
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
        fetch_in_flight(store->threads, &out->in_flight, &out->in_flight_most);
}
