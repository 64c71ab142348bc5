/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir_impl: what the files of the directory store share.
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
    dev_t dev;         /* of the root; below it other file systems may be mounted */
    bool lookup_tells; /* a file's times are known without opening it */
    bool follow_links; /* even if they lead out of the directory */
    atomic_bool no_cached_open;
    pthread_mutex_t lock;
    struct dir_tree *trees; /* owned, under the lock, sorted by name; these are: */
    size_t ntrees, trees_cap, ntrees_held;
    struct dir_object *spare; /* owned; closed objects, to be used again */
};

/* ---- dir_open.c: opening a key; O_CLOEXEC, O_NONBLOCK and O_NOCTTY are always added ---- */

/* A descriptor, or -1 with errno. If it may not wait, it usually fails with EAGAIN if opening would
 * have to wait. */
int dir_open_key(const struct dir_store *store, const char *key, int flags, bool may_wait);

/* For kernels without openat2(2); it refuses every symbolic link. */
int dir_open_walk(int root_fd, const char *key, int flags);

/* *fd is -1 if the key does not exist; other failures are errors that name it. If it may not wait
 * but would have to, it may return any error. */
int dir_open(const struct dir_store *dir, const char *key, int flags, bool may_wait, int *fd,
             struct err *err);

/* ---- dir_trees.c: directories that are replaced while a view is open ---- */

/* ERR_CHANGED if the key's directory in the root is not the same as at its first use. */
int dir_check_tree(const struct dir_store *dir, const char *key, bool may_wait, struct err *err);
void dir_free_trees(struct dir_store *dir);

/* ---- dir_list.c: names and sizes, as in struct store_ops ---- */

int dir_children(const struct store *store, const char *key,
                 int (*visit)(const char *name, void *arg), void *arg, struct err *err);
int dir_names(const struct store *store, const char *key, int (*visit)(const char *name, void *arg),
              void *arg, struct err *err);
int dir_usage(const struct store *store, const char *key, uint64_t *nobjects, uint64_t *nbytes,
              struct err *err);

#endif
