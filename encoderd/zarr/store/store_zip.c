/*
 * store_zip: a store that is a zip archive, read in place.
 *
 * Stored members are read like files. A deflated one is inflated whole, into a cache that all threads
 * share, or, where it is longer than the cache, streamed (encoderd/zarr/store/stream.h).
 */
#include "encoderd/zarr/store/store_zip.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/store/cache.h"
#include "encoderd/zarr/store/file.h"
#include "encoderd/zarr/store/name_list.h"
#include "encoderd/zarr/store/stream.h"
#include "encoderd/zarr/store/watch.h"
#include "encoderd/zarr/store/zip.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Until store_set_budget. */
#define BUDGET_DEFAULT ((size_t)32 << 20)
/* Metadata and the like: kept with the open object. */
#define SMALL_NBYTES ((uint64_t)16 << 10)
/* Longer names are in no store. */
#define NAME_MAX_LEN 4096

struct zip_store {
    struct store base;
    int fd;
    struct stat stat;
    struct zip_source source; /* may wait */
    struct zip_dir dir;
    const char *root; /* in dir's names: what comes before every key */
    size_t root_len;
    struct cache *cache; /* owned */
};

struct zip_object {
    struct object base;
    const struct zip_member *member;
    uint64_t data;  /* where its bytes are in the archive */
    uint8_t *small; /* owned; its contents, where it is deflated and short */
    pthread_mutex_t lock;
    struct stream *stream; /* owned, under the lock; where it is deflated and too long */
    char key[];
};

/* An archive that is renamed away stays open; one that is written to is another one. */
static int check_unchanged(const struct zip_store *store, struct err *err)
{
    struct stat st;

    if (fstat(store->fd, &st) < 0)
        return err_sys(err, ERR_IO, errno, "%s", store->base.path);
    return store_watch_check(&store->base, "", &st, err);
}

/* key: see file_read. */
static enum got read_checked(const struct zip_store *store, const char *key, uint64_t offset,
                             void *to, size_t n, bool may_wait, struct err *err)
{
    const enum got got = file_read(&store->base, store->fd, key, offset, to, n, may_wait, err);

    return got == GOT_IT && check_unchanged(store, err) < 0 ? GOT_FAILED : got;
}

static int read_archive(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    return (int)read_checked(arg, NULL, offset, to, n, true, err);
}

static int read_archive_at_once(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    return read_checked(arg, NULL, offset, to, n, false, err) == GOT_IT ? 0 : -1;
}

/* ---- Objects ---- */

static const struct zip_store *store_of(const struct zip_object *object)
{
    return (const struct zip_store *)object->base.store;
}

static int read_stored(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    const struct zip_object *object = arg;

    return (int)read_checked(store_of(object), object->key, object->data + offset, to, n, true,
                             err);
}

static int name_member(const struct zip_object *object, struct err *err)
{
    const char *path = store_of(object)->base.path;

    if (err != NULL && strncmp(err->msg, path, strlen(path)) == 0)
        return -1;
    return err_prefix(err, "%s/%s", path, object->key);
}

static int open_stream(const struct zip_object *object, struct stream **out, struct err *err)
{
    struct stream_spec spec = {
        .kind = STREAM_DEFLATE,
        .read = read_stored,
        .arg = (void *)(uintptr_t)object,
        .length = object->member->stored_nbytes,
        .nbytes = object->member->nbytes,
        .has_crc32 = true,
        .crc32 = object->member->crc32,
    };

    return stream_new(&spec, out, err);
}

static int inflate_whole(void *arg, uint8_t *to, size_t n, struct err *err)
{
    const struct zip_object *object = arg;
    struct stream *stream;
    int rc;

    if (open_stream(object, &stream, err) < 0)
        return -1;
    rc = stream_read(stream, 0, to, n, err);
    stream_free(stream);
    return rc;
}

static enum got read_inflated(const struct zip_object *object, uint64_t offset, void *to, size_t n,
                              bool may_wait, struct err *err)
{
    struct cache *cache = store_of(object)->cache;
    const void *key = &object->member;
    struct cache_entry *entry;

    if (!may_wait)
        entry = cache_find(cache, key, sizeof object->member);
    else if (cache_get(cache, key, sizeof object->member, (size_t)object->member->nbytes,
                       inflate_whole, (void *)(uintptr_t)object, &entry, err) < 0)
        return GOT_FAILED;
    if (entry == NULL)
        return GOT_NOT_NOW;
    memcpy(to, cache_data(entry) + offset, n);
    cache_put(cache, entry);
    return GOT_IT;
}

static int read_streamed(struct zip_object *object, uint64_t offset, void *to, size_t n,
                         struct err *err)
{
    int rc = 0;

    pthread_mutex_lock(&object->lock);
    if (object->stream == NULL)
        rc = open_stream(object, &object->stream, err);
    if (rc == 0)
        rc = stream_read(object->stream, offset, to, n, err);
    pthread_mutex_unlock(&object->lock);
    return rc;
}

static enum got read_deflated(struct zip_object *object, uint64_t offset, void *to, size_t n,
                              bool may_wait, struct err *err)
{
    enum got got = GOT_NOT_NOW;

    if (object->small != NULL) {
        memcpy(to, object->small + offset, n);
        return GOT_IT;
    }
    if (object->base.size <= cache_budget(store_of(object)->cache))
        got = read_inflated(object, offset, to, n, may_wait, err);
    else if (may_wait)
        got = (enum got)read_streamed(object, offset, to, n, err);
    return got == GOT_FAILED ? (enum got)name_member(object, err) : got;
}

static enum got zip_read(const struct object *base, uint64_t offset, void *to, size_t n,
                         bool may_wait, struct err *err)
{
    struct zip_object *object = (struct zip_object *)(uintptr_t)base;

    if (!size_range_ok(offset, n, base->size))
        return (enum got)err_set(err, ERR_CORRUPT,
                                 "%s/%s: ends at byte %llu, in the middle of its data",
                                 base->store->path, object->key, (unsigned long long)base->size);
    if (object->member->deflated)
        return read_deflated(object, offset, to, n, may_wait, err);
    return read_checked(store_of(object), object->key, object->data + offset, to, n, may_wait, err);
}

static void zip_close(struct object *base)
{
    struct zip_object *object = (struct zip_object *)base;

    stream_free(object->stream);
    pthread_mutex_destroy(&object->lock);
    free(object->small);
    free(object);
}

static int inflate_small(struct zip_object *object, struct err *err)
{
    size_t n = (size_t)object->member->nbytes;

    object->small = malloc(n);
    if (object->small == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    return inflate_whole(object, object->small, n, err);
}

/* Its bytes are found, and taken where they are few. */
static int find_data(struct zip_object *object, bool may_wait, struct err *err)
{
    const struct zip_store *store = store_of(object);
    const struct zip_member *member = object->member;
    const bool small = member->deflated && member->nbytes > 0 && member->nbytes <= SMALL_NBYTES;
    struct zip_source source = store->source;

    if (!may_wait && small)
        return -1;
    if (!may_wait)
        source.read = read_archive_at_once;
    if (zip_member_data(&source, &store->dir, member, &object->data, err) < 0)
        return -1;
    return small ? inflate_small(object, err) : 0;
}

static enum got open_member(const struct zip_store *store, const struct zip_member *member,
                            const char *key, bool may_wait, struct object **out, struct err *err)
{
    size_t key_size = strlen(key) + 1;
    struct zip_object *object = calloc(1, sizeof *object + key_size);

    if (object == NULL)
        return (enum got)err_set(err, ERR_MEMORY, "%s/%s: out of memory", store->base.path, key);
    object->base.store = &store->base;
    object->base.size = member->nbytes;
    object->base.part = member->deflated ? 0 : FILE_PART;
    object->member = member;
    memcpy(object->key, key, key_size);
    pthread_mutex_init(&object->lock, NULL);
    if (find_data(object, may_wait, err) < 0) {
        if (may_wait)
            name_member(object, err);
        zip_close(&object->base);
        return may_wait ? GOT_FAILED : GOT_NOT_NOW;
    }
    *out = &object->base;
    return GOT_IT;
}

/* The member's name for a key, with `end` after it; its length, or 0 if no member can have it. */
static size_t member_name(const struct zip_store *store, const char *key, const char *end,
                          char name[NAME_MAX_LEN])
{
    int n = snprintf(name, NAME_MAX_LEN, "%.*s%s%s", (int)store->root_len,
                     store->root_len > 0 ? store->root : "", key, end);

    return n < 0 || n >= NAME_MAX_LEN ? 0 : (size_t)n;
}

/* The first member below the tree `key`, or n if there is no such tree. *prefix_len is 0 for the root of
 * everything. */
static size_t first_below(const struct zip_store *store, const char *key, char prefix[NAME_MAX_LEN],
                          size_t *prefix_len)
{
    size_t i;

    *prefix_len = member_name(store, key, *key == '\0' ? "" : "/", prefix);
    if (*prefix_len == 0)
        return *key == '\0' ? 0 : store->dir.n;
    i = zip_lower_bound(&store->dir, prefix, *prefix_len);
    if (i < store->dir.n &&
        !zip_has_prefix(&store->dir, &store->dir.members[i], prefix, *prefix_len))
        return store->dir.n;
    return i;
}

static enum got zip_open(const struct store *base, const char *key, bool may_wait,
                         struct object **out, struct err *err)
{
    const struct zip_store *store = (const struct zip_store *)base;
    char name[NAME_MAX_LEN];
    size_t len = member_name(store, key, "", name);
    const struct zip_member *member = len > 0 ? zip_find(&store->dir, name, len) : NULL;

    if (first_below(store, key, name, &len) < store->dir.n)
        return (enum got)err_set(err, ERR_CORRUPT, "%s/%s: a directory and not a file", base->path,
                                 key);
    return member != NULL ? open_member(store, member, key, may_wait, out, err) : GOT_NOTHING;
}

/* ---- Trees ---- */

/* Names directly below a prefix; those of a tree once. */
static int list_names(const struct zip_store *store, size_t first, const char *prefix,
                      size_t prefix_len, struct name_list *names)
{
    const struct zip_dir *dir = &store->dir;

    for (size_t i = first; i < dir->n; i++) {
        const struct zip_member *member = &dir->members[i];
        const char *name = dir->names + member->name + prefix_len, *slash, *last;
        size_t len;

        if (!zip_has_prefix(dir, member, prefix, prefix_len))
            break;
        len = member->name_len - prefix_len;
        slash = memchr(name, '/', len);
        len = slash != NULL ? (size_t)(slash - name) : len;
        last = names->n > 0 ? names->items[names->n - 1] : "";
        if (len > 0 && (strlen(last) != len || memcmp(last, name, len) != 0) &&
            name_list_add(names, name, len) < 0)
            return -1;
    }
    return 0;
}

/* The trees directly below a prefix. Members come in byte order, so those of a tree are in a row, and
 * '0' is what comes after '/'. */
static int list_trees(const struct zip_store *store, size_t first, char prefix[NAME_MAX_LEN],
                      size_t prefix_len, struct name_list *names)
{
    const struct zip_dir *dir = &store->dir;
    size_t i = first;

    while (i < dir->n && zip_has_prefix(dir, &dir->members[i], prefix, prefix_len)) {
        const char *name = dir->names + dir->members[i].name + prefix_len;
        size_t left = dir->members[i].name_len - prefix_len;
        const char *slash = memchr(name, '/', left);
        size_t len = slash != NULL ? (size_t)(slash - name) : 0;

        i++;
        if (len == 0 || prefix_len + len + 1 > NAME_MAX_LEN)
            continue;
        if (name_list_add(names, name, len) < 0)
            return -1;
        memcpy(prefix + prefix_len, name, len);
        prefix[prefix_len + len] = '0';
        i = zip_lower_bound(dir, prefix, prefix_len + len + 1);
    }
    return 0;
}

static int visit_sorted(struct name_list *names, int (*visit)(const char *name, void *arg),
                        void *arg)
{
    name_list_sort(names);
    for (size_t i = 0; i < names->n; i++) {
        int rc = visit(names->items[i], arg);

        if (rc != 0)
            return rc;
    }
    return 0;
}

static int zip_children(const struct store *base, const char *key,
                        int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    const struct zip_store *store = (const struct zip_store *)base;
    CLEANUP(name_list_free) struct name_list names = {0};
    char prefix[NAME_MAX_LEN];
    size_t prefix_len, first = first_below(store, key, prefix, &prefix_len);

    if (first < store->dir.n && list_trees(store, first, prefix, prefix_len, &names) < 0)
        return err_set(err, ERR_MEMORY, "%s/%s: out of memory", base->path, key);
    return visit_sorted(&names, visit, arg);
}

static int zip_names(const struct store *base, const char *key,
                     int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    const struct zip_store *store = (const struct zip_store *)base;
    CLEANUP(name_list_free) struct name_list names = {0};
    char prefix[NAME_MAX_LEN];
    size_t prefix_len, first = first_below(store, key, prefix, &prefix_len);

    if (first < store->dir.n && list_names(store, first, prefix, prefix_len, &names) < 0)
        return err_set(err, ERR_MEMORY, "%s/%s: out of memory", base->path, key);
    return visit_sorted(&names, visit, arg);
}

static void add_usage(const struct zip_store *store, const struct zip_member *member,
                      uint64_t *nobjects, uint64_t *nbytes)
{
    if (store->dir.names[member->name + member->name_len - 1] == '/')
        return;
    *nobjects += 1;
    *nbytes += member->stored_nbytes;
}

static int zip_usage(const struct store *base, const char *key, uint64_t *nobjects,
                     uint64_t *nbytes, struct err *err)
{
    const struct zip_store *store = (const struct zip_store *)base;
    const struct zip_dir *dir = &store->dir;
    char name[NAME_MAX_LEN];
    size_t len = member_name(store, key, "", name), i;
    const struct zip_member *member = len > 0 ? zip_find(dir, name, len) : NULL;

    (void)err;
    if (member != NULL)
        add_usage(store, member, nobjects, nbytes);
    for (i = first_below(store, key, name, &len);
         i < dir->n && zip_has_prefix(dir, &dir->members[i], name, len); i++)
        add_usage(store, &dir->members[i], nobjects, nbytes);
    return 0;
}

/* An archive changes as a whole: its own state is that of all it holds. */
static int zip_identity(const struct store *base, const char *key,
                        void (*add)(const void *data, size_t n, void *arg), void *arg,
                        struct err *err)
{
    const struct zip_store *store = (const struct zip_store *)base;
    char name[NAME_MAX_LEN];
    size_t len = member_name(store, key, "", name);
    bool found = len > 0 && zip_find(&store->dir, name, len) != NULL;

    (void)err;
    if (found || first_below(store, key, name, &len) < store->dir.n)
        store_add_facts(&store->stat, add, arg);
    return 0;
}

static int zip_has(const struct store *base, const char *key, bool *has, struct err *err)
{
    const struct zip_store *store = (const struct zip_store *)base;
    char name[NAME_MAX_LEN];
    const size_t len = member_name(store, key, "", name);

    (void)err;
    *has = len > 0 && zip_find(&store->dir, name, len) != NULL;
    return 0;
}

/* ---- The store ---- */

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

/* The archive was written at once, whatever the members say of themselves. */
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

/* Does a group begin in this top folder ("" or "name/")? */
static bool holds_group(const struct zip_dir *dir, const char *root, size_t len)
{
    static const char *const files[] = {"zarr.json", ".zgroup"};
    char name[NAME_MAX_LEN];

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int n = snprintf(name, sizeof name, "%.*s%s", (int)len, root, files[i]);

        if (n > 0 && n < NAME_MAX_LEN && zip_find(dir, name, (size_t)n) != NULL)
            return true;
    }
    return false;
}

/* What macOS and Windows add to an archive or a folder for themselves. */
static bool is_clutter(const struct zip_dir *dir, const struct zip_member *member)
{
    static const char *const names[] = {"__MACOSX/", "._", ".DS_Store", "Thumbs.db", "desktop.ini"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (zip_has_prefix(dir, member, names[i], strlen(names[i])))
            return true;
    return false;
}

/* The first member from i on that is not clutter, or n. */
static size_t skip_clutter(const struct zip_dir *dir, size_t i)
{
    while (i < dir->n && is_clutter(dir, &dir->members[i]))
        i++;
    return i;
}

/* Does anything but clutter lie outside the folder? */
static bool is_alone(const struct zip_dir *dir, const char *folder, size_t len)
{
    for (size_t i = skip_clutter(dir, 0); i < dir->n; i = skip_clutter(dir, i + 1))
        if (!zip_has_prefix(dir, &dir->members[i], folder, len))
            return false;
    return true;
}

/* The archive's top, or its one top folder. */
static int find_root(struct zip_store *store, struct err *err)
{
    const struct zip_dir *dir = &store->dir;
    const size_t i = skip_clutter(dir, 0);
    const char *first = i < dir->n ? dir->names + dir->members[i].name : "";
    const char *slash = i < dir->n ? memchr(first, '/', dir->members[i].name_len) : NULL;
    size_t len = slash != NULL ? (size_t)(slash - first) + 1 : 0;

    if (len == 0 || holds_group(dir, "", 0) || !holds_group(dir, first, len))
        return 0;
    if (!is_alone(dir, first, len))
        return err_set(err, ERR_CORRUPT,
                       "%s: the archive holds a store in its folder \"%.*s\" and other things "
                       "beside it: make an archive of the store alone, or unpack it",
                       store->base.path, (int)len, first);
    store->root = first;
    store->root_len = len;
    return 0;
}

static int open_archive(struct zip_store *store, struct err *err)
{
    const char *path = store->base.path;

    if (fstat(store->fd, &store->stat) < 0)
        return err_set(err, ERR_IO, "%s: cannot be examined", path);
    store->source = (struct zip_source){read_archive, store, (uint64_t)store->stat.st_size};
    if (zip_dir_read(&store->source, &store->dir, err) < 0)
        return err != NULL && strncmp(err->msg, path, strlen(path)) == 0
                   ? -1
                   : err_prefix(err, "%s", path);
    store->cache = cache_new(BUDGET_DEFAULT, err);
    return store->cache == NULL ? -1 : find_root(store, err);
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
        return err_set(err, ERR_MEMORY, "%s: out of memory", path);
    }
    store->base.ops = &zip_ops;
    store->base.path = copy;
    store->base.lists_names = true;
    store->base.part = FILE_PART;
    atomic_init(&store->base.at_once, file_at_once(fd));
    store->fd = steal_fd(&fd);
    if (open_archive(store, err) < 0) {
        zip_free(&store->base);
        return -1;
    }
    *out = &store->base;
    return 0;
}
