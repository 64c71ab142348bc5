/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_dir: a store that is a directory.
 */
#include "encoderd/zarr/store/store_dir.h"

#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/store/dir_impl.h"
#include "encoderd/zarr/store/fail.h"
#include "encoderd/zarr/store/file.h"
#include "encoderd/zarr/store/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define KEY_ROOM ((size_t)64)

struct dir_object {
    struct object base;
    struct dir_object *next; /* spare */
    size_t room;             /* of key */
    int fd;
    bool foreign; /* on another file system than the store's directory */
    char key[];
};

static const struct dir_store *dir_of(const struct store *store)
{
    return (const struct dir_store *)store;
}

static enum at_once at_once_of(const struct store *store)
{
    return (enum at_once)atomic_load_explicit(&store->at_once, memory_order_relaxed);
}

/* Checks the time of the link itself, because a new link may lead to a file that is older than the
 * view. */
static int check_link(const struct store *store, const char *key, struct err *err)
{
    struct stat st;

    if (fstatat(dir_of(store)->fd, key, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return store_fail_sys(store, key, errno, err);
    return S_ISLNK(st.st_mode) ? store_watch_check(store, key, &st, err) : 0;
}

/* An absent object was absent at the opening, too, if nothing was removed from its directory
 * since. */
static int check_absent(const struct store *store, const char *key, bool may_wait, struct err *err)
{
    const struct dir_store *dir = dir_of(store);
    char above[PATH_MAX];
    size_t n = strlen(key);

    if (n >= sizeof above)
        return 0;
    memcpy(above, key, n + 1);
    do {
        AUTO_CLOSE int fd = -1;
        struct stat st;

        while (n > 0 && above[--n] != '/')
            ;
        above[n] = '\0';
        fd = n > 0 ? dir_open_key(dir, above, O_PATH | O_DIRECTORY, may_wait)
                   : openat(dir->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && !may_wait && errno != ENOENT)
            return -1;
        if (fd >= 0 && fstat(fd, &st) == 0)
            return store_watch_check(store, above, &st, err);
    } while (n > 0);
    return store_fail_sys(store, NULL, errno, err);
}

/* ---- Objects ---- */

/* Calls fstat after reading, so that a change before or during the read is noticed. */
static enum got dir_read(const struct object *object, uint64_t offset, void *to, size_t n,
                         bool may_wait, struct err *err)
{
    const struct dir_object *file = (const struct dir_object *)object;
    const struct store *store = object->store;
    struct stat st;
    enum got got = GOT_NOT_NOW;

    if (may_wait || !file->foreign)
        got = file_read(store, file->fd, file->key, offset, to, n, may_wait, err);
    if (got == GOT_NOT_NOW)
        return got;
    if (fstat(file->fd, &st) != 0)
        return got == GOT_FAILED ? got : (enum got)store_fail_sys(store, file->key, errno, err);
    return store_watch_check(store, file->key, &st, err) != 0 ? GOT_FAILED : got;
}

static void dir_close(struct object *object)
{
    struct dir_object *file = (struct dir_object *)object;
    struct dir_store *dir = (struct dir_store *)(uintptr_t)object->store;

    close(file->fd);
    pthread_mutex_lock(&dir->lock);
    file->next = dir->spare;
    dir->spare = file;
    pthread_mutex_unlock(&dir->lock);
}

/* NULL if out of memory. As many are kept as were open at the same time. */
static struct dir_object *new_object(struct dir_store *dir, size_t key_size)
{
    const size_t room = size_max(key_size, KEY_ROOM);
    struct dir_object *file;

    pthread_mutex_lock(&dir->lock);
    file = dir->spare;
    if (file != NULL)
        dir->spare = file->next;
    pthread_mutex_unlock(&dir->lock);
    if (file != NULL && file->room >= key_size)
        return file;
    free(file);
    file = malloc(sizeof *file + room);
    if (file != NULL)
        file->room = room;
    return file;
}

/* Makes an object of the open file fd, which it takes over. */
static int make_object(const struct store *store, const char *key, int fd, const struct stat *st,
                       struct object **out, struct err *err)
{
    const size_t key_size = strlen(key) + 1;
    struct dir_store *dir = (struct dir_store *)(uintptr_t)store;
    struct dir_object *file = new_object(dir, key_size);

    if (file == NULL) {
        close(fd);
        return store_nomem(store, key, err);
    }
    file->base.size = (uint64_t)st->st_size;
    file->base.part = FILE_PART;
    file->fd = fd;
    file->foreign = st->st_dev != dir->dev;
    memcpy(file->key, key, key_size);
    *out = &file->base;
    return 0;
}

static enum got open_file(const struct store *store, const struct store_range *range, bool may_wait,
                          struct object **out, struct err *err)
{
    const char *key = range->key;
    AUTO_CLOSE int fd = -1;
    struct stat st;

    if (dir_open(dir_of(store), key, O_RDONLY, may_wait, &fd, err) != 0)
        return GOT_FAILED;
    if (dir_check_tree(dir_of(store), key, may_wait, err) != 0)
        return GOT_FAILED;
    if (fd < 0)
        return check_absent(store, key, may_wait, err) != 0 ? GOT_FAILED : GOT_NOTHING;
    if (fstat(fd, &st) != 0)
        return (enum got)store_fail_sys(store, key, errno, err);
    if (!S_ISREG(st.st_mode))
        return (enum got)store_fail(store, key, err, ERR_CORRUPT, "not a regular file");
    if (store_watch_check(store, key, &st, err) != 0 ||
        (dir_of(store)->follow_links && check_link(store, key, err) != 0))
        return GOT_FAILED;
    /* Begins only here, after fstat. FUSE takes a short answer to a read for the end of the file,
     * but not if it learns the file's size between the request and the answer; then zeroes would be
     * read where an error is due. */
    if (may_wait && range->likely_offset < (uint64_t)st.st_size)
        file_expect(store, fd, range->likely_offset,
                    size_min(range->likely_length, (uint64_t)st.st_size - range->likely_offset));
    return (enum got)make_object(store, key, steal_fd(&fd), &st, out, err);
}

/* Works without waiting only if no server is asked when a file is opened and its times are read. */
static enum got dir_object(const struct store *store, const struct store_range *range,
                           bool may_wait, struct object **out, struct err *err)
{
    enum got got;

    if (!may_wait && at_once_of(store) == AT_ONCE_NOTHING)
        return GOT_NOT_NOW;
    got = open_file(store, range, may_wait, out, err);
    return got == GOT_FAILED && !may_wait ? GOT_NOT_NOW : got;
}

/* ---- The store ---- */

/* Does a lookup of a file's name give times as new as opening the file would? Not with a client
 * that caches attributes (NFS), which asks its server again only when a file is opened. There files
 * are opened, which costs no further request. */
static bool lookup_tells(const struct dir_store *dir)
{
    struct statfs fs;

    return !dir->follow_links && fstatfs(dir->fd, &fs) == 0 &&
           ((unsigned long)fs.f_type == FUSE_SUPER_MAGIC ||
            file_at_once(dir->fd) != AT_ONCE_NOTHING);
}

/* Finds the file's times without opening it; false if a lookup is not enough. */
static bool stat_by_name(const struct dir_store *dir, const char *key, struct stat *st)
{
    AUTO_CLOSE int fd = dir->lookup_tells ? dir_open_key(dir, key, O_PATH, true) : -1;

    return fd >= 0 && fstat(fd, st) == 0 && st->st_dev == dir->dev;
}

/* The state of the object, or, if there is none, of what is at `key`. If that cannot be opened (a
 * link that leads out, for example), the state of its directory entry, because the error is
 * reported only when the object is read. *there is false if the key does not exist. */
static int stat_for_identity(const struct store *store, const char *key,
                             const struct object *object, bool *there, struct stat *st,
                             struct err *err)
{
    const struct dir_object *file = (const struct dir_object *)object;
    AUTO_CLOSE int fd = -1;

    *there = true;
    if (file != NULL && fstat(file->fd, st) == 0)
        return 0;
    if (stat_by_name(dir_of(store), key, st))
        return 0;
    if (dir_open(dir_of(store), *key == '\0' ? "." : key, O_RDONLY, true, &fd, err) != 0)
        return fstatat(dir_of(store)->fd, key, st, AT_SYMLINK_NOFOLLOW);
    *there = fd >= 0;
    if (fd >= 0 && fstat(fd, st) != 0)
        return store_fail_sys(store, key, errno, err);
    return 0;
}

static int dir_identity(const struct store *store, const char *key, const struct object *object,
                        void (*add)(const void *data, size_t n, void *arg), void *arg,
                        struct err *err)
{
    struct stat st;
    bool there;

    if (stat_for_identity(store, key, object, &there, &st, err) != 0 ||
        dir_check_tree(dir_of(store), key, true, err) != 0)
        return -1;
    if (!there)
        return check_absent(store, key, true, err);
    store_add_facts(&st, add, arg);
    return store_watch_check(store, key, &st, err);
}

static int64_t dir_mtime(const struct store *store, const char *key)
{
    AUTO_CLOSE int fd = dir_open_key(dir_of(store), key, O_PATH, true);
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? store_ns(&st.st_mtim)
                                                                 : INT64_MIN;
}

/* A link counts as existing, wherever it leads: reading it may be an error, but it is never an
 * absent object. */
static int dir_has(const struct store *store, const char *key, bool *has, struct err *err)
{
    struct stat st;

    *has = fstatat(dir_of(store)->fd, key, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (*has || errno == ENOENT || errno == ENOTDIR)
        return 0;
    return store_fail_sys(store, key, errno, err);
}

static void dir_free(struct store *store)
{
    struct dir_store *dir = (struct dir_store *)store;
    struct dir_object *file;

    dir_free_trees(dir);
    while ((file = dir->spare) != NULL) {
        dir->spare = file->next;
        free(file);
    }
    pthread_mutex_destroy(&dir->lock);
    close(dir->fd);
    free(store->path);
    free(store);
}

static const struct store_ops dir_ops = {
    .open = dir_object,
    .read = dir_read,
    .close = dir_close,
    .children = dir_children,
    .names = dir_names,
    .usage = dir_usage,
    .identity = dir_identity,
    .mtime = dir_mtime,
    .has = dir_has,
    .free = dir_free,
};

int store_dir_new(const char *path, int root_fd, unsigned flags, struct store **out,
                  struct err *err)
{
    AUTO_CLOSE int fd = root_fd;
    struct dir_store *store = calloc(1, sizeof *store);
    AUTO_FREE char *copy = strdup(path);
    struct stat st;

    if (store == NULL || copy == NULL) {
        free(store);
        return err_nomem(err, "a store");
    }
    if (fstat(fd, &st) != 0) {
        free(store);
        return err_set(err, ERR_IO, "%s", strerror(errno));
    }
    store_watch_init(&store->base.watch);
    store->base.ops = &dir_ops;
    store->base.path = steal_ptr(&copy);
    store->base.part = FILE_PART;
    atomic_init(&store->base.at_once, file_at_once(fd));
    pthread_mutex_init(&store->lock, NULL);
    store->dev = st.st_dev;
    store->fd = steal_fd(&fd);
    store->follow_links = (flags & STORE_FOLLOW_LINKS) != 0;
    store->lookup_tells = lookup_tells(store);
    *out = &store->base;
    return 0;
}
