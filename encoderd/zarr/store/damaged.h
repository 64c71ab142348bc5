/* SPDX-License-Identifier: Apache-2.0 */
/*
 * damaged: what every message says that finds a file's bytes broken.
 */
#ifndef VCZFS_ZARR_STORE_DAMAGED_H
#define VCZFS_ZARR_STORE_DAMAGED_H

#define DAMAGED "the file is damaged; restore it or rewrite the store"

#endif
