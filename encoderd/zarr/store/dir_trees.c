/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir_trees: remembers the directories of the root as they were at their first use.
 *
 * If an array's directory is replaced by another one, the files in the new one may be older than
 * the view, so that watch.h does not notice. The inode number of the directory does: two
 * directories that exist at the same time have different numbers. Some file systems (FUSE) invent
 * these numbers and keep one only while the directory is open. There HELD_MAX directories are kept
 * open, which is enough for every view; further ones are not checked.
 */
#include "common/cleanup.h"
#include "encoderd/zarr/store/dir_impl.h"
#include "encoderd/zarr/store/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define HELD_MAX 64

struct dir_tree {
    char *name; /* owned */
    int fd;     /* owned; -1 if the number stays without it */
    dev_t dev;
    ino_t ino;
};

/* The place of the name in the list, or where it belongs. Under the lock. */
static size_t lower_bound(const struct dir_store *dir, const char *name)
{
    size_t begin = 0, end = dir->ntrees;

    while (begin < end) {
        const size_t middle = begin + (end - begin) / 2;

        if (strcmp(dir->trees[middle].name, name) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/* Under the lock; NULL if the directory has not been used yet. */
static const struct dir_tree *find_tree(const struct dir_store *dir, const char *name)
{
    const size_t i = lower_bound(dir, name);

    return i < dir->ntrees && strcmp(dir->trees[i].name, name) == 0 ? &dir->trees[i] : NULL;
}

/* Under the lock: adds *tree, unless another thread has added it. -1: out of memory. */
static int add_tree(struct dir_store *dir, struct dir_tree *tree)
{
    const size_t i = lower_bound(dir, tree->name);

    if (i < dir->ntrees && strcmp(dir->trees[i].name, tree->name) == 0)
        return 0;
    if (dir->ntrees == dir->trees_cap) {
        const size_t cap = dir->trees_cap > 0 ? 2 * dir->trees_cap : 16;
        struct dir_tree *more = reallocarray(dir->trees, cap, sizeof *more);

        if (more == NULL)
            return -1;
        dir->trees = more;
        dir->trees_cap = cap;
    }
    memmove(&dir->trees[i + 1], &dir->trees[i], (dir->ntrees - i) * sizeof *dir->trees);
    dir->trees[i] = (struct dir_tree){steal_ptr(&tree->name), tree->fd, tree->dev, tree->ino};
    dir->ntrees++;
    dir->ntrees_held += tree->fd >= 0;
    tree->fd = -1;
    return 0;
}

static void tree_clear(struct dir_tree *tree)
{
    cleanup_close(&tree->fd);
    free(tree->name);
}

/* Begins to watch the root's entry `name`, which may be a link. Not under the lock, because the
 * disk may be slow. */
static int watch_tree(struct dir_store *dir, const char *name, struct err *err)
{
    CLEANUP(tree_clear)
    struct dir_tree tree = {strdup(name), openat(dir->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), 0,
                            0};
    struct stat st;
    int failed;

    if (tree.fd < 0 || fstat(tree.fd, &st) != 0)
        return store_fail_sys(&dir->base, name, errno, err);
    tree.dev = st.st_dev;
    tree.ino = st.st_ino;
    if (st.st_dev == dir->dev && dir->base.here)
        close(steal_fd(&tree.fd));
    pthread_mutex_lock(&dir->lock);
    failed = tree.name == NULL                              ? -1
             : tree.fd >= 0 && dir->ntrees_held >= HELD_MAX ? 0
                                                            : add_tree(dir, &tree);
    pthread_mutex_unlock(&dir->lock);
    return failed == 0 ? 0 : store_nomem(&dir->base, name, err);
}

static int exchanged(const struct dir_store *dir, const char *name, struct err *err)
{
    return store_fail(&dir->base, name, err, ERR_CHANGED,
                      "it is not the directory that it was when the store was opened: "
                      "unmount, and mount again");
}

int dir_check_tree(const struct dir_store *dir, const char *key, bool may_wait, struct err *err)
{
    struct dir_store *own = (struct dir_store *)(uintptr_t)dir;
    const size_t n = strcspn(key, "/");
    char name[NAME_MAX + 1];
    const struct dir_tree *tree;
    bool known, same;
    struct stat st;

    if (n > NAME_MAX)
        return 0;
    memcpy(name, key, n);
    name[n] = '\0';
    if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : store_fail_sys(&dir->base, name, errno, err);
    if (S_ISREG(st.st_mode))
        return 0;
    pthread_mutex_lock(&own->lock);
    tree = find_tree(dir, name);
    known = tree != NULL;
    same = known && tree->dev == st.st_dev && tree->ino == st.st_ino;
    pthread_mutex_unlock(&own->lock);
    if (!known)
        return may_wait ? watch_tree(own, name, err) : -1;
    return same ? 0 : exchanged(dir, name, err);
}

void dir_free_trees(struct dir_store *dir)
{
    for (size_t i = 0; i < dir->ntrees; i++)
        tree_clear(&dir->trees[i]);
    free(dir->trees);
}
