/*
 * store_impl: what a kind of store must provide. Only store*.c include this.
 */
#ifndef VCZFS_ZARR_STORE_STORE_IMPL_H
#define VCZFS_ZARR_STORE_STORE_IMPL_H

#include "encoderd/zarr/store/store.h"

#include <stdatomic.h>
#include <time.h>

struct store_ops {
    int (*object)(const struct store *store, const char *key, struct object **out, struct err *err);
    int (*children)(const struct store *store, const char *key,
                    int (*visit)(const char *name, void *arg), void *arg, struct err *err);
    int (*names)(const struct store *store, const char *key,
                 int (*visit)(const char *name, void *arg), void *arg, struct err *err);
    int (*usage)(const struct store *store, const char *key, uint64_t *nobjects, uint64_t *nbytes,
                 struct err *err);
    int (*identity)(const struct store *store, const char *key,
                    void (*add)(const void *data, size_t n, void *arg), void *arg, struct err *err);
    /* When the object was modified, in nanoseconds since the epoch; INT64_MIN if there is none. */
    int64_t (*mtime)(const struct store *store, const char *key);
    /* NULL: whether there is one is known by opening it. */
    int (*has)(const struct store *store, const char *key, bool *has, struct err *err);
    void (*free)(struct store *store);
    /* NULL where a store keeps nothing. */
    int (*set_budget)(struct store *store, size_t nbytes, struct err *err);
    void (*trim)(const struct store *store);
};

/* See store_watch.c. Times are nanoseconds of the real-time clock. */
struct store_watch {
    int64_t opened;
    int64_t since;           /* INT64_MAX until store_watch_from */
    _Atomic(int64_t) latest; /* change that was seen until then */
    atomic_bool fractions;   /* of a second were seen: the file system keeps them */
};

/* Each kind puts these first in its own struct. */
struct store {
    const struct store_ops *ops;
    char *path;          /* owned */
    bool local;          /* see store_is_local */
    bool lists_names;    /* see store_lists_names */
    struct spill *spill; /* borrowed; or NULL */
    struct held *held;   /* borrowed; or NULL */
    struct store_watch watch;
};

struct object_ops {
    int (*read)(const struct object *object, uint64_t offset, void *to, size_t n, struct err *err);
    void (*close)(struct object *object);
};

struct object {
    const struct object_ops *ops;
    uint64_t size;
};

struct stat;

/* At the very beginning of opening a store. */
/* What tells a file from another state of it, or from another file in its place, and is the same whoever looks:
 * not its inode's number, which some file systems make up as they go. */
void store_add_facts(const struct stat *st, void (*add)(const void *data, size_t n, void *arg),
                     void *arg);

/* Nanoseconds, or the largest or smallest number where they are beyond. */
int64_t store_ns(const struct timespec *ts);

void store_watch_init(struct store_watch *watch);

/* ERR_CHANGED if what was just read (`st`: as it is now) changed after the moment that is watched from.
 * Before there is one, what is seen is taken into account for store_opened. */
int store_watch_check(const struct store *store, const char *key, const struct stat *st,
                      struct err *err);

/* fstatat; for a thread that may not wait, as far as the system knows by itself, and only what identifies
 * a file and says when it was changed. */
int store_stat(int fd, const char *path, int flags, struct stat *st);

/* A relative path without empty, "." or ".." components; "" only where root_ok. */
int store_key_check(const struct store *store, const char *key, bool root_ok, struct err *err);

/* Exactly n bytes of a file, or an error that names it: path, or path/key where key is not NULL. */
int store_fd_read(int fd, const char *path, const char *key, uint64_t offset, void *to, size_t n,
                  struct err *err);

/* Both take ownership of the descriptor in any case. */
int store_dir_new(const char *path, int root_fd, unsigned flags, struct store **out,
                  struct err *err);
int store_zip_new(const char *path, int archive_fd, struct store **out, struct err *err);

/* How the directory store opens a key; `open_walk` is for kernels without openat2(2) and refuses every
 * symbolic link. Both return a descriptor, or -1 with errno. */
int store_dir_open_beneath(int root_fd, const char *key, int flags);
int store_dir_open_walk(int root_fd, const char *key, int flags);

#endif
