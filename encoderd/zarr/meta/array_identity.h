/* SPDX-License-Identifier: Apache-2.0 */
/*
 * array_identity: which of an array's objects tell it from another state of it.
 */
#ifndef VCZFS_ZARR_META_ARRAY_IDENTITY_H
#define VCZFS_ZARR_META_ARRAY_IDENTITY_H

#include "encoderd/zarr/meta/array.h"

/* How many of the array's objects its identity is made of, at most. */
#define ZARR_IDENTITY_MOST 256

/* All if there are few, else ZARR_IDENTITY_MOST at even distances, the first and the last among
 * them: how many, and where chunk number `i` of them lies, or the first one in its shard (index:
 * zeroes). What identifies each is store_identity's to say. */
uint64_t zarr_identity_nchunks(const struct zarr_array *array);
void zarr_identity_chunk(const struct zarr_array *array, uint64_t i, uint64_t *index);

#endif
