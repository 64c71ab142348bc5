/*
 * store_dir: the kind of store that is a directory.
 */
#ifndef VCZFS_ZARR_STORE_STORE_DIR_H
#define VCZFS_ZARR_STORE_STORE_DIR_H

#include "encoderd/zarr/store/kind.h"

/* Takes the descriptor in any case. Flags as store_open_with has them. */
int store_dir_new(const char *path, int root_fd, unsigned flags, struct store **out,
                  struct err *err);

/* How it opens a key; `open_walk` is for kernels without openat2(2) and refuses every
 * symbolic link. Both return a descriptor, or -1 with errno. */
int store_dir_open_beneath(int root_fd, const char *key, int flags);
int store_dir_open_walk(int root_fd, const char *key, int flags);

#endif
