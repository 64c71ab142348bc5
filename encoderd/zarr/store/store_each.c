/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_each: many small questions to a store, side by side where its answers take long.
 */
#include "common/abreast.h"
#include "encoderd/zarr/store/kind.h"

bool store_is_far(const struct store *store)
{
    return atomic_load_explicit(&store->far, memory_order_relaxed);
}

bool store_is_here(const struct store *store)
{
    return store->here;
}

void store_set_far(const struct store *store)
{
    atomic_store_explicit(&((struct store *)(uintptr_t)store)->far, true, memory_order_relaxed);
}

int store_each(const struct store *store, uint64_t n,
               int (*one)(void *arg, uint64_t i, struct err *err), void *arg, struct err *err)
{
    const bool was_far = store_is_far(store);
    bool waits = was_far;
    const int rc = abreast_run(n, store->here, &waits, one, arg, err);

    if (waits && !was_far)
        store_set_far(store);
    return rc;
}
