/* SPDX-License-Identifier: Apache-2.0 */
/*
 * array_identity: what tells an array from another state of it, without reading its chunks.
 */
#ifndef VCZFS_ZARR_META_ARRAY_IDENTITY_H
#define VCZFS_ZARR_META_ARRAY_IDENTITY_H

#include "encoderd/zarr/meta/array.h"

/* How many of the array's objects its identity is made of, at most. */
#define ZARR_IDENTITY_MOST 256

/* An array's identity comes in parts, which may be asked for side by side: store_identity of its
 * directory, and of some of its objects: all if there are few, else ZARR_IDENTITY_MOST at even
 * distances, the first and the last among them. */
uint64_t zarr_identity_nparts(const struct zarr_array *array);
int zarr_identity_part(const struct zarr_array *array, uint64_t part,
                       void (*add)(const void *data, size_t n, void *arg), void *arg,
                       struct err *err);

#endif
