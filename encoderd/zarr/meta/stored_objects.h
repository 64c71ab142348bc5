/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stored_objects: which objects of an array exist, from a list of names. Its cost depends on what
 * is stored, not on the shape that the metadata claim.
 */
#ifndef VCZFS_ZARR_META_STORED_OBJECTS_H
#define VCZFS_ZARR_META_STORED_OBJECTS_H

#include "encoderd/zarr/meta/array.h"

/* More are not listed. */
#define STORED_OBJECTS_MAX ((size_t)1 << 20)

/* An object is a chunk or, with sharding, a shard. */
struct stored_objects {
    uint64_t *numbers; /* owned; numbers in C order, ascending */
    size_t n, cap;
    bool complete; /* false: some are left out, being too many or too far */
};

/* Makes the list. Zero-initialise *out before, and call stored_objects_clear also after an error.
 * An array without axes has no list. */
int stored_objects_list(const struct zarr_array *array, struct stored_objects *out,
                        struct err *err);
void stored_objects_clear(struct stored_objects *stored);

/* The first object from `from` on that is not stored, perhaps past the end of the array. */
uint64_t stored_objects_gap(const struct stored_objects *stored, uint64_t from);

/* The first object from `from` on that is stored, or `otherwise`. */
uint64_t stored_objects_next(const struct stored_objects *stored, uint64_t from,
                             uint64_t otherwise);

/* The number of objects along axis d; a shard is one object. */
uint64_t stored_objects_along(const struct zarr_meta *meta, unsigned d);

#endif
