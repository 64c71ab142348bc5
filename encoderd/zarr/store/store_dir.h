/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_dir: the kind of store that is a directory.
 */
#ifndef VCZFS_ZARR_STORE_STORE_DIR_H
#define VCZFS_ZARR_STORE_STORE_DIR_H

#include "encoderd/zarr/store/kind.h"

/* Takes over the descriptor in any case. Flags as in store_open_with. */
int store_dir_new(const char *path, int root_fd, unsigned flags, struct store **out,
                  struct err *err);

#endif
