#include "encoderd/zarr/store/kind.h"

#include <limits.h>
#include <stdio.h>

struct newest {
    const struct store *store; /* borrowed */
    int64_t mtime;
};

/* Of the metadata of the group or array at `tree`. */
static int look_at(const char *tree, void *arg)
{
    static const char *const names[] = {".zgroup", ".zarray", ".zattrs", ".zmetadata", "zarr.json"};
    struct newest *newest = arg;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char key[PATH_MAX];
        const int n = snprintf(key, sizeof key, "%s%s%s", tree, *tree == '\0' ? "" : "/", names[i]);
        int64_t mtime;

        if (n < 0 || (size_t)n >= sizeof key)
            continue;
        mtime = newest->store->ops->mtime(newest->store, key);
        if (mtime > newest->mtime)
            newest->mtime = mtime;
    }
    return 0;
}

int64_t store_mtime(const struct store *store)
{
    struct newest newest = {.store = store};
    struct err err = {0};

    look_at("", &newest);
    store_children(store, "", look_at, &newest, &err); /* what cannot be listed has no say */
    return newest.mtime;
}
