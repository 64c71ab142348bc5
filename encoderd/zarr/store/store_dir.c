/*
 * store_dir: a store that is a directory.
 *
 * A store may come from anywhere, so no key and no link in it may lead out of the directory, and opening
 * an object may neither block (FIFO) nor touch a device.
 */
#include "encoderd/zarr/store/store_dir.h"
#include "common/cleanup.h"
#include "common/size.h"
#include "encoderd/zarr/store/file.h"
#include "encoderd/zarr/store/name_list.h"
#include "encoderd/zarr/store/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DIR_DEPTH_MAX 32
#define CHILDREN_MAX  16384
#define KEY_ROOM      ((size_t)64)

/* A directory in the root, as it was when it was first used: see check_tree. It is held, so that its inode's
 * number stays its own: one that nobody holds may get another number (FUSE, some overlays), and one that
 * is deleted may leave its number to the next. */
struct tree {
    char *name; /* owned */
    int fd;     /* owned */
    dev_t dev;
    ino_t ino;
};

/* Headers older than Linux 5.12 do not have it, and kernels as old refuse it. */
#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

struct dir_store {
    struct store base;
    int fd;
    dev_t dev;         /* its file system: others may be mounted in it, or linked to */
    bool follow_links; /* also out of the directory */
    atomic_bool no_cached_open;
    pthread_mutex_t lock;
    struct tree *trees; /* owned, under the lock, as are: */
    size_t ntrees;
    struct dir_object *spare; /* owned; closed, for the next ones */
};

struct dir_object {
    struct object base;
    struct dir_object *next; /* spare */
    size_t room;             /* of key */
    int fd;
    bool foreign; /* of another file system than the store's directory */
    char key[];
};

int store_dir_open_walk(int root_fd, const char *key, int flags)
{
    AUTO_CLOSE int dir = -1;
    const char *at = key;

    for (;;) {
        char name[NAME_MAX + 1];
        size_t n = strcspn(at, "/");
        int next;

        if (n > NAME_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, at, n);
        name[n] = '\0';
        if (at[n] == '\0')
            return openat(dir < 0 ? root_fd : dir, name, flags | O_NOFOLLOW);
        next = openat(dir < 0 ? root_fd : dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return -1;
        if (dir >= 0)
            close(dir);
        dir = next;
        at += n + 1;
    }
}

int store_dir_open_beneath(int root_fd, const char *key, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd;

    /* EAGAIN: a rename somewhere in the system raced with the resolution. */
    for (int tries = 0; tries < 100; tries++) {
        fd = syscall(SYS_openat2, root_fd, key, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    if (fd < 0 && errno == ENOSYS)
        return store_dir_open_walk(root_fd, key, flags);
    return (int)fd;
}

/* Fails, with EAGAIN as a rule, where a disk would have to be asked, or another file system. Kernels before 5.12 and filters that
 * know no openat2 are asked once. */
static int open_at_once(const struct dir_store *store, const char *key, int flags)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)flags,
                           .resolve = RESOLVE_CACHED | RESOLVE_NO_XDEV};
    atomic_bool *refused = &((struct dir_store *)(uintptr_t)store)->no_cached_open;
    long fd;

    errno = EAGAIN;
    if (atomic_load_explicit(refused, memory_order_relaxed))
        return -1;
    if (!store->follow_links)
        how.resolve |= RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    fd = syscall(SYS_openat2, store->fd, key, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EINVAL || errno == EPERM))
        atomic_store_explicit(refused, true, memory_order_relaxed);
    return (int)fd;
}

static int open_key(const struct dir_store *store, const char *key, int flags, bool may_wait)
{
    if (!may_wait)
        return open_at_once(store, key, flags);
    return store->follow_links ? openat(store->fd, key, flags)
                               : store_dir_open_beneath(store->fd, key, flags);
}

/* A link whose target is gone (git-annex, a half copied store) is not an absent object: taking it for
 * one would show the fill value in place of data. True, too, where that cannot be told at once. */
static bool is_dangling(const struct dir_store *store, const char *key, bool may_wait)
{
    char prefix[PATH_MAX];
    size_t n = 0;

    do {
        AUTO_CLOSE int link = -1;
        struct stat st;

        n += n > 0;
        n += strcspn(key + n, "/");
        if (n >= sizeof prefix)
            return false;
        memcpy(prefix, key, n);
        prefix[n] = '\0';
        link = open_key(store, prefix, O_PATH | O_NOFOLLOW | O_CLOEXEC, may_wait);
        if (link < 0)
            return !may_wait && errno != ENOENT;
        if (fstat(link, &st) == 0 && S_ISLNK(st.st_mode)) {
            AUTO_CLOSE int target = open_key(store, prefix, O_PATH | O_CLOEXEC, may_wait);

            if (target < 0)
                return true;
        }
    } while (key[n] != '\0');
    return false;
}

static bool follows(const struct store *store)
{
    return ((const struct dir_store *)store)->follow_links;
}

/* *fd is -1 if there is no such thing. */
static int dir_open(const struct store *store, const char *key, int flags, bool may_wait, int *fd,
                    struct err *err)
{
    const struct dir_store *dir = (const struct dir_store *)store;

    *fd = open_key(dir, key, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, may_wait);
    if (*fd >= 0)
        return 0;
    switch (errno) {
    case ENOENT:
        if (!is_dangling(dir, key, may_wait))
            return 0;
        return err_set(err, ERR_CORRUPT, "%s/%s: a link to something that does not exist",
                       store->path, key);
    case EXDEV:
    case ELOOP:
        return err_set(
            err, ERR_CORRUPT,
            "%s/%s: a link that leads out of the store: follow such links only if you trust "
            "the store, with --follow-links",
            store->path, key);
    case ENOTDIR:
    case ENXIO:
    case ENODEV:
        return err_set(err, ERR_CORRUPT, "%s/%s: not a regular file below directories", store->path,
                       key);
    default:
        return err_sys(err, ERR_IO, errno, "%s/%s", store->path, key);
    }
}

/* ---- What changed since the view was opened ---- */

/* NULL if nobody has used it yet. */
static const struct tree *find_tree(const struct dir_store *dir, const char *name)
{
    for (size_t i = 0; i < dir->ntrees; i++)
        if (strcmp(dir->trees[i].name, name) == 0)
            return &dir->trees[i];
    return NULL;
}

/* Takes hold of the root's entry `name`, which may be a link. Not under the lock: the disk may take its time. */
static int hold_tree(struct dir_store *dir, const char *name, struct err *err)
{
    AUTO_CLOSE int fd = openat(dir->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    AUTO_FREE char *copy = strdup(name);
    struct tree *more = NULL;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, ERR_IO, errno, "%s/%s", dir->base.path, name);
    pthread_mutex_lock(&dir->lock);
    if (copy != NULL)
        more = reallocarray(dir->trees, dir->ntrees + 1, sizeof *more);
    if (more != NULL) {
        dir->trees = more;
        if (find_tree(dir, name) == NULL)
            more[dir->ntrees++] =
                (struct tree){steal_ptr(&copy), steal_fd(&fd), st.st_dev, st.st_ino};
    }
    pthread_mutex_unlock(&dir->lock);
    return more != NULL ? 0
                        : err_set(err, ERR_MEMORY, "%s/%s: out of memory", dir->base.path, name);
}

/* No view uses more; what looks at all arrays of a store is over before long. */
#define TREES_MAX 64

/* Files in an array's directory that was exchanged for another one may be older than the view. */
static int check_tree(const struct store *store, const char *key, bool may_wait, struct err *err)
{
    struct dir_store *dir = (struct dir_store *)(uintptr_t)store;
    const size_t n = strcspn(key, "/");
    char name[NAME_MAX + 1];
    const struct tree *tree;
    struct stat st;
    bool known, same, full;

    if (n > NAME_MAX)
        return 0;
    memcpy(name, key, n);
    name[n] = '\0';
    if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : err_sys(err, ERR_IO, errno, "%s/%s", store->path, name);
    if (S_ISREG(st.st_mode))
        return 0;
    pthread_mutex_lock(&dir->lock);
    tree = find_tree(dir, name);
    known = tree != NULL;
    same = known && tree->dev == st.st_dev && tree->ino == st.st_ino;
    full = dir->ntrees >= TREES_MAX;
    pthread_mutex_unlock(&dir->lock);
    if (!known && full)
        return 0;
    if (!known)
        return may_wait ? hold_tree(dir, name, err) : -1;
    return same ? 0
                : err_set(err, ERR_CHANGED,
                          "%s/%s is not the directory that it was when the store was opened: "
                          "unmount, and mount again",
                          store->path, name);
}

/* A link may lead to a file that is older than the view, and itself be younger. */
static int check_link(const struct store *store, const char *key, struct err *err)
{
    struct stat st;

    if (fstatat(((const struct dir_store *)store)->fd, key, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_sys(err, ERR_IO, errno, "%s/%s", store->path, key);
    return S_ISLNK(st.st_mode) ? store_watch_check(store, key, &st, err) : 0;
}

/* An absent object was never there if nothing was removed from where it would be. */
static int check_absent(const struct store *store, const char *key, bool may_wait, struct err *err)
{
    const struct dir_store *dir = (const struct dir_store *)store;
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
        fd = n > 0 ? open_key(dir, above, O_PATH | O_DIRECTORY | O_CLOEXEC, may_wait)
                   : openat(dir->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && !may_wait && errno != ENOENT)
            return -1;
        if (fd >= 0 && fstat(fd, &st) == 0)
            return store_watch_check(store, above, &st, err);
    } while (n > 0);
    return err_sys(err, ERR_IO, errno, "%s", store->path);
}

/* ---- Objects ---- */

/* fstat after reading: a change before or amid it shows. */
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
    if (fstat(file->fd, &st) < 0)
        return got == GOT_FAILED
                   ? got
                   : (enum got)err_sys(err, ERR_IO, errno, "%s/%s", store->path, file->key);
    return store_watch_check(store, file->key, &st, err) < 0 ? GOT_FAILED : got;
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

/* NULL if out of memory. There are as many as have been open at once. */
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

/* What is open at fd, which is taken. */
static int make_object(const struct store *store, const char *key, int fd, const struct stat *st,
                       struct object **out, struct err *err)
{
    const size_t key_size = strlen(key) + 1;
    struct dir_store *dir = (struct dir_store *)(uintptr_t)store;
    struct dir_object *file = new_object(dir, key_size);

    if (file == NULL) {
        close(fd);
        return err_set(err, ERR_MEMORY, "%s/%s: out of memory", store->path, key);
    }
    file->base.size = (uint64_t)st->st_size;
    file->base.part = FILE_PART;
    file->fd = fd;
    file->foreign = st->st_dev != dir->dev;
    memcpy(file->key, key, key_size);
    *out = &file->base;
    return 0;
}

static enum got open_file(const struct store *store, const char *key, bool may_wait,
                          struct object **out, struct err *err)
{
    AUTO_CLOSE int fd = -1;
    struct stat st;

    if (dir_open(store, key, O_RDONLY, may_wait, &fd, err) < 0 ||
        check_tree(store, key, may_wait, err) < 0)
        return GOT_FAILED;
    if (fd < 0)
        return check_absent(store, key, may_wait, err) < 0 ? GOT_FAILED : GOT_NOTHING;
    if (fstat(fd, &st) < 0)
        return (enum got)err_sys(err, ERR_IO, errno, "%s/%s", store->path, key);
    if (!S_ISREG(st.st_mode))
        return (enum got)err_set(err, ERR_CORRUPT, "%s/%s: not a regular file", store->path, key);
    if (store_watch_check(store, key, &st, err) < 0 ||
        (follows(store) && check_link(store, key, err) < 0))
        return GOT_FAILED;
    return (enum got)make_object(store, key, steal_fd(&fd), &st, out, err);
}

/* At once only where opening a file, and looking at its times, asks no server. */
static enum got dir_object(const struct store *store, const char *key, bool may_wait,
                           struct object **out, struct err *err)
{
    enum got got;

    if (!may_wait && atomic_load_explicit(&store->at_once, memory_order_relaxed) == AT_ONCE_NOTHING)
        return GOT_NOT_NOW;
    got = open_file(store, key, may_wait, out, err);
    return got == GOT_FAILED && !may_wait ? GOT_NOT_NOW : got;
}

/* Everything in the directory, in byte order. Takes fd. */
/* Calls visit for each entry of the directory, in no order, until it returns true. Takes fd. -1 with errno. */
static int each_entry(int fd, bool (*visit)(int dir, const char *name, void *arg), void *arg)
{
    DIR *dir = fdopendir(fd);
    struct dirent *entry;
    bool stop = false;
    int why;

    if (dir == NULL) {
        close(fd);
        return -1;
    }
    while (errno = 0, !stop && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            stop = visit(fd, entry->d_name, arg);
    why = stop ? 0 : errno;
    closedir(dir);
    errno = why;
    return why != 0 ? -1 : 0;
}

struct entries {
    const struct store *store;
    const char *key;
    struct name_list names; /* owned */
    int (*visit)(const char *name, void *arg);
    void *arg;
    int rc; /* of visit, or -1 with err set */
    struct err *err;
};

static int visit_entries(struct entries *entries,
                         bool (*visit)(int dir, const char *name, void *arg))
{
    const char *key = entries->key;
    int fd;

    if (dir_open(entries->store, *key == '\0' ? "." : key, O_RDONLY | O_DIRECTORY, true, &fd,
                 entries->err) < 0)
        return -1;
    if (fd >= 0 && each_entry(fd, visit, entries) < 0)
        return err_sys(entries->err, ERR_IO, errno, "%s/%s", entries->store->path, key);
    return entries->rc;
}

static bool is_tree(const struct store *store, const char *key, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s%s%s", key, *key == '\0' ? "" : "/", name);

    if (n < 0 || (size_t)n >= sizeof path)
        return false;
    AUTO_CLOSE int fd =
        open_key((const struct dir_store *)store, path, O_PATH | O_DIRECTORY | O_CLOEXEC, true);
    return fd >= 0;
}

static bool list_child(int dir, const char *name, void *arg)
{
    struct entries *entries = arg;

    (void)dir;
    if (!is_tree(entries->store, entries->key, name))
        return false;
    if (entries->names.n == CHILDREN_MAX)
        entries->rc = err_set(entries->err, ERR_UNSUPPORTED,
                              "%s/%s: more than %d directories: no store has so many arrays",
                              entries->store->path, entries->key, CHILDREN_MAX);
    else if (name_list_add(&entries->names, name, strlen(name)) != 0)
        entries->rc = err_set(entries->err, ERR_MEMORY, "%s: out of memory", entries->store->path);
    return entries->rc != 0;
}

static int dir_children(const struct store *store, const char *key,
                        int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    struct entries entries = {.store = store, .key = key, .err = err};
    int rc = visit_entries(&entries, list_child);

    name_list_sort(&entries.names);
    for (size_t i = 0; rc == 0 && i < entries.names.n; i++)
        rc = visit(entries.names.items[i], arg);
    name_list_free(&entries.names);
    return rc;
}

static bool visit_one(int dir, const char *name, void *arg)
{
    struct entries *entries = arg;

    (void)dir;
    entries->rc = entries->visit(name, entries->arg);
    return entries->rc != 0;
}

static int dir_names(const struct store *store, const char *key,
                     int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    struct entries entries = {.store = store, .key = key, .visit = visit, .arg = arg, .err = err};

    return visit_entries(&entries, visit_one);
}

struct walk {
    bool follow_links;
    void (*file)(const struct stat *st, void *arg);
    void *arg;
    unsigned depth;
    int why; /* the errno of what failed */
};

static int walk_dir(int fd, struct walk *walk);

static bool walk_entry(int dir, const char *name, void *arg)
{
    struct walk *walk = arg;
    struct stat st;

    if (fstatat(dir, name, &st, walk->follow_links ? 0 : AT_SYMLINK_NOFOLLOW) < 0) {
        if (!walk->follow_links || (errno != ENOENT && errno != ELOOP))
            walk->why = errno;
        return walk->why != 0;
    }
    if (S_ISREG(st.st_mode))
        walk->file(&st, walk->arg);
    if (S_ISDIR(st.st_mode)) {
        const int next = openat(
            dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (walk->follow_links ? 0 : O_NOFOLLOW));

        if (next < 0 || walk_dir(next, walk) < 0)
            walk->why = errno;
    }
    return walk->why != 0;
}

/* Calls walk->file for every regular file below fd. Takes fd. -1 with errno. */
static int walk_dir(int fd, struct walk *walk)
{
    int rc;

    if (walk->depth > DIR_DEPTH_MAX) {
        close(fd);
        errno = ELOOP;
        return -1;
    }
    walk->depth++;
    rc = each_entry(fd, walk_entry, walk);
    walk->depth--;
    if (walk->why != 0)
        errno = walk->why;
    return rc != 0 || walk->why != 0 ? -1 : 0;
}

static int walk_key(const struct store *store, const char *key, struct walk *walk, struct err *err)
{
    AUTO_CLOSE int fd = -1;
    struct stat st;

    if (dir_open(store, *key == '\0' ? "." : key, O_RDONLY, true, &fd, err) < 0)
        return -1;
    if (fd < 0)
        return 0;
    if (fstat(fd, &st) < 0)
        return err_sys(err, ERR_IO, errno, "%s/%s", store->path, key);
    if (S_ISREG(st.st_mode))
        walk->file(&st, walk->arg);
    if (S_ISDIR(st.st_mode) && walk_dir(steal_fd(&fd), walk) < 0)
        return err_sys(err, ERR_IO, errno, "%s/%s", store->path, key);
    return 0;
}

struct usage {
    uint64_t nobjects, nbytes;
};

static void usage_file(const struct stat *st, void *arg)
{
    struct usage *usage = arg;

    usage->nobjects++;
    usage->nbytes += (uint64_t)st->st_size;
}

static int dir_usage(const struct store *store, const char *key, uint64_t *nobjects,
                     uint64_t *nbytes, struct err *err)
{
    struct usage usage = {0};

    struct walk walk = {.follow_links = follows(store), .file = usage_file, .arg = &usage};

    if (walk_key(store, key, &walk, err) < 0)
        return -1;
    *nobjects = usage.nobjects;
    *nbytes = usage.nbytes;
    return 0;
}

/* Of what is at `key`, or, where that cannot be opened (a link that leads out, say), of its entry in the
 * directory: an error is due where somebody reads it. *there is false if there is no such thing. */
static int stat_for_identity(const struct store *store, const char *key, bool *there,
                             struct stat *st, struct err *err)
{
    AUTO_CLOSE int fd = -1;

    *there = true;
    if (dir_open(store, *key == '\0' ? "." : key, O_RDONLY, true, &fd, err) < 0)
        return fstatat(((const struct dir_store *)store)->fd, key, st, AT_SYMLINK_NOFOLLOW);
    *there = fd >= 0;
    if (fd >= 0 && fstat(fd, st) < 0)
        return err_sys(err, ERR_IO, errno, "%s/%s", store->path, key);
    return 0;
}

static int dir_identity(const struct store *store, const char *key,
                        void (*add)(const void *data, size_t n, void *arg), void *arg,
                        struct err *err)
{
    struct stat st;
    bool there;

    if (stat_for_identity(store, key, &there, &st, err) < 0 ||
        check_tree(store, key, true, err) < 0)
        return -1;
    if (!there)
        return check_absent(store, key, true, err);
    store_add_facts(&st, add, arg);
    return store_watch_check(store, key, &st, err);
}

static int64_t dir_mtime(const struct store *store, const char *key)
{
    AUTO_CLOSE int fd = open_key((const struct dir_store *)store, key, O_PATH | O_CLOEXEC, true);
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? store_ns(&st.st_mtim)
                                                                 : INT64_MIN;
}

/* A link counts, wherever it leads: reading it is no absent object, but an error at the worst. */
static int dir_has(const struct store *store, const char *key, bool *has, struct err *err)
{
    struct stat st;

    *has = fstatat(((const struct dir_store *)store)->fd, key, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (*has || errno == ENOENT || errno == ENOTDIR)
        return 0;
    return err_sys(err, ERR_IO, errno, "%s/%s", store->path, key);
}

static void dir_free(struct store *store)
{
    struct dir_store *dir = (struct dir_store *)store;
    struct dir_object *file;

    for (size_t i = 0; i < dir->ntrees; i++) {
        free(dir->trees[i].name);
        close(dir->trees[i].fd);
    }
    free(dir->trees);
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
        return err_set(err, ERR_MEMORY, "%s: out of memory", path);
    }
    if (fstat(fd, &st) < 0) {
        free(store);
        return err_sys(err, ERR_IO, errno, "%s", path);
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
    *out = &store->base;
    return 0;
}
