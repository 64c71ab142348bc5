/* SPDX-License-Identifier: Apache-2.0 */
/*
 * array_identity: identifies the present state of an array without reading its chunks.
 */
#ifndef VCZFS_ZARR_META_ARRAY_IDENTITY_H
#define VCZFS_ZARR_META_ARRAY_IDENTITY_H

#include "encoderd/zarr/meta/array.h"

/* The most objects of an array that are part of its identity. */
#define ZARR_IDENTITY_MOST 256

/* An array's identity has several parts, which may be computed side by side: the store_identity of
 * its directory, and of its objects. If there are many objects, only ZARR_IDENTITY_MOST of them
 * count, at equal distances, with the first and the last. */
uint64_t zarr_identity_nparts(const struct zarr_array *array);
int zarr_identity_part(const struct zarr_array *array, uint64_t part,
                       void (*add)(const void *data, size_t n, void *arg), void *arg,
                       struct err *err);

#endif
