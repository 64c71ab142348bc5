/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir_list: lists the names in a directory store, and adds up sizes.
 */
#include "common/cleanup.h"
#include "encoderd/zarr/store/dir_impl.h"
#include "encoderd/zarr/store/fail.h"
#include "encoderd/zarr/store/name_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DIR_DEPTH_MAX 32
#define CHILDREN_MAX  16384

/* Calls visit for the entries of the directory, in no order, until visit returns true. Takes over
 * fd. -1 with errno. */
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
    const struct dir_store *store;
    const char *key;
    struct name_list names; /* owned */
    int (*visit)(const char *name, void *arg);
    void *arg;
    int rc; /* the result of visit, or -1 with err set */
    struct err *err;
};

static int visit_entries(struct entries *entries,
                         bool (*visit)(int dir, const char *name, void *arg))
{
    const char *key = entries->key;
    int fd;

    if (dir_open(entries->store, *key == '\0' ? "." : key, O_RDONLY | O_DIRECTORY, true, &fd,
                 entries->err) != 0)
        return -1;
    if (fd >= 0 && each_entry(fd, visit, entries) != 0)
        return store_fail_sys(&entries->store->base, key, errno, entries->err);
    return entries->rc;
}

static bool is_tree(const struct dir_store *store, const char *key, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s%s%s", key, *key == '\0' ? "" : "/", name);

    if (n < 0 || (size_t)n >= sizeof path)
        return false;
    AUTO_CLOSE int fd = dir_open_key(store, path, O_PATH | O_DIRECTORY, true);
    return fd >= 0;
}

static bool list_child(int dir, const char *name, void *arg)
{
    struct entries *entries = arg;

    (void)dir;
    if (!is_tree(entries->store, entries->key, name))
        return false;
    if (entries->names.n == CHILDREN_MAX)
        entries->rc =
            store_fail(&entries->store->base, entries->key, entries->err, ERR_UNSUPPORTED,
                       "more than %d directories: no store has so many arrays", CHILDREN_MAX);
    else if (name_list_add(&entries->names, name, strlen(name)) != 0)
        entries->rc = store_nomem(&entries->store->base, NULL, entries->err);
    return entries->rc != 0;
}

int dir_children(const struct store *store, const char *key,
                 int (*visit)(const char *name, void *arg), void *arg, struct err *err)
{
    struct entries entries = {.store = (const struct dir_store *)store, .key = key, .err = err};
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

int dir_names(const struct store *store, const char *key, int (*visit)(const char *name, void *arg),
              void *arg, struct err *err)
{
    struct entries entries = {.store = (const struct dir_store *)store,
                              .key = key,
                              .visit = visit,
                              .arg = arg,
                              .err = err};

    return visit_entries(&entries, visit_one);
}

struct tree_walk {
    bool follow_links;
    void (*file)(const struct stat *st, void *arg);
    void *arg;
    unsigned depth;
    int why; /* the errno of the failure */
};

static int walk_dir(int fd, struct tree_walk *walk);

static bool walk_entry(int dir, const char *name, void *arg)
{
    struct tree_walk *walk = arg;
    struct stat st;

    if (fstatat(dir, name, &st, walk->follow_links ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
        if (!walk->follow_links || (errno != ENOENT && errno != ELOOP))
            walk->why = errno;
        return walk->why != 0;
    }
    if (S_ISREG(st.st_mode))
        walk->file(&st, walk->arg);
    if (S_ISDIR(st.st_mode)) {
        const int next = openat(
            dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (walk->follow_links ? 0 : O_NOFOLLOW));

        if (next < 0 || walk_dir(next, walk) != 0)
            walk->why = errno;
    }
    return walk->why != 0;
}

/* Calls walk->file for every regular file below fd. Takes over fd. -1 with errno. */
static int walk_dir(int fd, struct tree_walk *walk)
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

static int walk_key(const struct dir_store *store, const char *key, struct tree_walk *walk,
                    struct err *err)
{
    AUTO_CLOSE int fd = -1;
    struct stat st;

    if (dir_open(store, *key == '\0' ? "." : key, O_RDONLY, true, &fd, err) != 0)
        return -1;
    if (fd < 0)
        return 0;
    if (fstat(fd, &st) != 0)
        return store_fail_sys(&store->base, key, errno, err);
    if (S_ISREG(st.st_mode))
        walk->file(&st, walk->arg);
    if (S_ISDIR(st.st_mode) && walk_dir(steal_fd(&fd), walk) != 0)
        return store_fail_sys(&store->base, key, errno, err);
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

int dir_usage(const struct store *store, const char *key, uint64_t *nobjects, uint64_t *nbytes,
              struct err *err)
{
    const struct dir_store *dir = (const struct dir_store *)store;
    struct usage usage = {0};
    struct tree_walk walk = {.follow_links = dir->follow_links, .file = usage_file, .arg = &usage};

    if (walk_key(dir, key, &walk, err) != 0)
        return -1;
    *nobjects = usage.nobjects;
    *nbytes = usage.nbytes;
    return 0;
}
