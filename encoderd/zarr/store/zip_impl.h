/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip_impl: what the files of the zip store share.
 */
#ifndef VCZFS_ZARR_STORE_ZIP_IMPL_H
#define VCZFS_ZARR_STORE_ZIP_IMPL_H

#include "encoderd/zarr/store/kind.h"
#include "encoderd/zarr/store/zip.h"

#include <sys/stat.h>

/* No store has longer names. */
#define ZIP_NAME_MAX 4096

struct cache;

struct zip_store {
    struct store base;
    int fd;
    struct stat stat;
    struct zip_source source; /* may wait */
    struct zip_dir dir;
    const char *root; /* in dir's names: the prefix of every key */
    size_t root_len;
    struct cache *cache; /* owned */
};

/* ---- zip_objects.c: members as objects ---- */

/* Reads the archive's bytes, for struct zip_source; arg is the store. */
int zip_read_archive(void *arg, uint64_t offset, void *to, size_t n, struct err *err);

/* As in struct store_ops, but with a member that was already found. */
enum got zip_open_member(const struct zip_store *store, const struct zip_member *member,
                         const char *key, bool may_wait, struct object **out, struct err *err);
enum got zip_read(const struct object *base, uint64_t offset, void *to, size_t n, bool may_wait,
                  struct err *err);
void zip_close(struct object *base);

/* ---- zip_names.c: keys and members ---- */

/* NULL if there is none. */
const struct zip_member *zip_find_key(const struct zip_store *store, const char *key);

/* The first member below the tree `key`, or n if there is no such tree. *prefix is the beginning of
 * their names; it is empty for the root of the archive. */
size_t zip_first_below(const struct zip_store *store, const char *key, char prefix[ZIP_NAME_MAX],
                       size_t *prefix_len);

/* As in struct store_ops. */
int zip_children(const struct store *base, const char *key,
                 int (*visit)(const char *name, void *arg), void *arg, struct err *err);
int zip_names(const struct store *base, const char *key, int (*visit)(const char *name, void *arg),
              void *arg, struct err *err);
int zip_usage(const struct store *base, const char *key, uint64_t *nobjects, uint64_t *nbytes,
              struct err *err);

/* ---- zip_root.c ---- */

/* Sets root to the archive's top, or to its only folder there. */
int zip_find_root(struct zip_store *store, struct err *err);

#endif
