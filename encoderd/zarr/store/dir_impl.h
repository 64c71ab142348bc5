/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir_impl: what the directory store's files share.
 */
#ifndef VCZFS_ZARR_STORE_DIR_IMPL_H
#define VCZFS_ZARR_STORE_DIR_IMPL_H

#include "encoderd/zarr/store/kind.h"

#include <pthread.h>
#include <sys/types.h>

struct dir_tree;
struct dir_object;

struct dir_store {
    struct store base;
    int fd;
    dev_t dev;         /* its file system: others may be mounted in it, or linked to */
    bool lookup_tells; /* a file's times are known without opening it */
    bool follow_links; /* also out of the directory */
    atomic_bool no_cached_open;
    pthread_mutex_t lock;
    struct dir_tree *trees; /* owned, under the lock, in order of their names, as are: */
    size_t ntrees, trees_cap, ntrees_held;
    struct dir_object *spare; /* owned; closed, for the next ones */
};

/* ---- dir_open.c: how a key is opened. O_CLOEXEC, O_NONBLOCK and O_NOCTTY go
 * without saying. ---- */

/* A descriptor, or -1 with errno. Where it may not wait, EAGAIN as a rule for
 * what is not there at once. */
int dir_open_key(const struct dir_store *store, const char *key, int flags, bool may_wait);

/* Of which it is made; `walk` is for kernels without openat2(2) and refuses every symbolic link. */
int dir_open_beneath(int root_fd, const char *key, int flags);
int dir_open_walk(int root_fd, const char *key, int flags);

/* *fd is -1 if there is no such thing; otherwise an error names it. Any error
 * where it may not wait and would have to. */
int dir_open(const struct dir_store *dir, const char *key, int flags, bool may_wait, int *fd,
             struct err *err);

/* ---- dir_trees.c: directories that are exchanged under a view ---- */

/* ERR_CHANGED if the key's directory in the root is not the one that it was
 * when it was first used. */
int dir_check_tree(const struct dir_store *dir, const char *key, bool may_wait, struct err *err);
void dir_free_trees(struct dir_store *dir);

/* ---- dir_list.c: names and sizes; as struct store_ops has them ---- */

int dir_children(const struct store *store, const char *key,
                 int (*visit)(const char *name, void *arg), void *arg, struct err *err);
int dir_names(const struct store *store, const char *key, int (*visit)(const char *name, void *arg),
              void *arg, struct err *err);
int dir_usage(const struct store *store, const char *key, uint64_t *nobjects, uint64_t *nbytes,
              struct err *err);

#endif
