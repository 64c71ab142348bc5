/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/kind.h"
#include "encoderd/zarr/store/name_list.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const char *const metadata[] = {".zgroup", ".zarray", ".zattrs", ".zmetadata", "zarr.json"};
#define NMETADATA (sizeof metadata / sizeof metadata[0])

struct newest {
    const struct store *store; /* borrowed */
    struct name_list names;    /* in the root */
    _Atomic(int64_t) mtime;
};

/* Looks at one metadata object, of the root or of a name in the root, which may be no tree. */
static int look_at(void *arg, uint64_t i, struct err *err)
{
    struct newest *newest = arg;
    const size_t tree = (size_t)(i / NMETADATA);
    const char *above = tree == 0 ? "" : newest->names.items[tree - 1];
    char key[PATH_MAX];
    const int n =
        snprintf(key, sizeof key, "%s%s%s", above, tree == 0 ? "" : "/", metadata[i % NMETADATA]);
    int64_t mtime, before = newest->mtime;

    (void)err;
    if (n < 0 || (size_t)n >= sizeof key)
        return 0;
    mtime = newest->store->ops->mtime(newest->store, key);
    while (mtime > before && !atomic_compare_exchange_weak(&newest->mtime, &before, mtime))
        ;
    return 0;
}

static int add_name(const char *name, void *arg)
{
    return name_list_add(arg, name, strlen(name));
}

int64_t store_mtime(const struct store *store)
{
    struct newest newest = {.store = store};
    struct err err = {0};

    store_names(store, "", add_name, &newest.names,
                &err); /* names that cannot be listed are left out */
    store_each(store, (newest.names.n + 1) * NMETADATA, look_at, &newest, &err);
    name_list_free(&newest.names);
    return newest.mtime;
}
