/* SPDX-License-Identifier: Apache-2.0 */
/*
 * damaged: the text that ends every message about damaged bytes of a file.
 */
#ifndef VCZFS_ZARR_STORE_DAMAGED_H
#define VCZFS_ZARR_STORE_DAMAGED_H

#define DAMAGED "the file is damaged; restore it or rewrite the store"

#endif
