/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_zip: the kind of store that is a zip archive.
 */
#ifndef VCZFS_ZARR_STORE_STORE_ZIP_H
#define VCZFS_ZARR_STORE_STORE_ZIP_H

#include "encoderd/zarr/store/kind.h"

/* Takes over the descriptor in any case. */
int store_zip_new(const char *path, int archive_fd, struct store **out, struct err *err);

#endif
