/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_zip: a store that is a zip archive, read in place.
 */
#include "encoderd/zarr/store/store_zip.h"

#include "common/cleanup.h"
#include "encoderd/zarr/store/cache.h"
#include "encoderd/zarr/store/fail.h"
#include "encoderd/zarr/store/file.h"
#include "encoderd/zarr/store/watch.h"
#include "encoderd/zarr/store/zip_impl.h"

#include <string.h>

/* Until store_set_budget. */
#define BUDGET_DEFAULT ((size_t)32 << 20)

static enum got zip_open(const struct store *base, const struct store_range *range, bool may_wait,
                         struct object **out, struct err *err)
{
    const char *key = range->key;
    const struct zip_store *store = (const struct zip_store *)base;
    const struct zip_member *member = zip_find_key(store, key);
    char name[ZIP_NAME_MAX];
    size_t len;

    if (zip_first_below(store, key, name, &len) < store->dir.n)
        return (enum got)store_fail(base, key, err, ERR_CORRUPT, "a directory and not a file");
    return member != NULL ? zip_open_member(store, member, key, may_wait, out, err) : GOT_NOTHING;
}

/* An archive changes as a whole, so its state is the state of every object in it. */
static int zip_identity(const struct store *base, const char *key, const struct object *object,
                        void (*add)(const void *data, size_t n, void *arg), void *arg,
                        struct err *err)
{
    const struct zip_store *store = (const struct zip_store *)base;
    char name[ZIP_NAME_MAX];
    size_t len;

    (void)object;
    (void)err;
    if (zip_find_key(store, key) != NULL || zip_first_below(store, key, name, &len) < store->dir.n)
        store_add_facts(&store->stat, add, arg);
    return 0;
}

static int zip_has(const struct store *base, const char *key, bool *has, struct err *err)
{
    (void)err;
    *has = zip_find_key((const struct zip_store *)base, key) != NULL;
    return 0;
}

static void zip_free(struct store *base)
{
    struct zip_store *store = (struct zip_store *)base;

    cache_free(store->cache);
    zip_dir_clear(&store->dir);
    close(store->fd);
    free(store->base.path);
    free(store);
}

static int zip_set_budget(struct store *base, size_t nbytes, struct err *err)
{
    struct zip_store *store = (struct zip_store *)base;
    struct cache *cache = cache_new(nbytes, err);

    if (cache == NULL)
        return -1;
    cache_free(store->cache);
    store->cache = cache;
    return 0;
}

static void zip_trim(const struct store *base)
{
    cache_trim(((const struct zip_store *)base)->cache);
}

/* The archive was written at one time, whatever times its members have. */
static int64_t zip_mtime(const struct store *store, const char *key)
{
    (void)key;
    return store_ns(&((const struct zip_store *)store)->stat.st_mtim);
}

static const struct store_ops zip_ops = {
    .open = zip_open,
    .read = zip_read,
    .close = zip_close,
    .children = zip_children,
    .names = zip_names,
    .usage = zip_usage,
    .identity = zip_identity,
    .mtime = zip_mtime,
    .has = zip_has,
    .free = zip_free,
    .set_budget = zip_set_budget,
    .trim = zip_trim,
};

static int open_archive(struct zip_store *store, struct err *err)
{
    if (fstat(store->fd, &store->stat) != 0)
        return err_set(err, ERR_IO, "cannot be examined");
    store->source = (struct zip_source){zip_read_archive, store, (uint64_t)store->stat.st_size};
    if (zip_dir_read(&store->source, &store->dir, err) != 0)
        return -1;
    store->cache = cache_new(BUDGET_DEFAULT, err);
    return store->cache == NULL ? -1 : zip_find_root(store, err);
}

int store_zip_new(const char *path, int archive_fd, struct store **out, struct err *err)
{
    AUTO_CLOSE int fd = archive_fd;
    struct zip_store *store = calloc(1, sizeof *store);
    char *copy = strdup(path);

    if (store != NULL)
        store_watch_init(&store->base.watch);
    if (store == NULL || copy == NULL) {
        free(store);
        free(copy);
        return err_nomem(err, "a store");
    }
    store->base.ops = &zip_ops;
    store->base.path = copy;
    store->base.lists_names = true;
    store->base.part = FILE_PART;
    atomic_init(&store->base.at_once, file_at_once(fd));
    store->fd = steal_fd(&fd);
    if (open_archive(store, err) != 0) {
        zip_free(&store->base);
        return -1;
    }
    *out = &store->base;
    return 0;
}
