/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stored_objects: which of an array's objects are there, by a list of names: it costs what is
 * stored, whatever shape the metadata claim.
 */
#ifndef VCZFS_ZARR_META_STORED_OBJECTS_H
#define VCZFS_ZARR_META_STORED_OBJECTS_H

#include "encoderd/zarr/meta/array.h"

/* More are not listed. */
#define STORED_OBJECTS_MAX ((size_t)1 << 20)

/* An object is a chunk or, where there is sharding, a shard. */
struct stored_objects {
    uint64_t *numbers; /* owned; in C order of objects, ascending */
    size_t n, cap;
    bool complete; /* false: there are more, or their numbers do not fit */
};

/* Zero-initialise *out; stored_objects_clear, also after an error. An array of no axes has no
 * list. */
int stored_objects_list(const struct zarr_array *array, struct stored_objects *out,
                        struct err *err);
void stored_objects_clear(struct stored_objects *stored);

/* The first one from `from` on that is not stored; it may be past the array's end. */
uint64_t stored_objects_gap(const struct stored_objects *stored, uint64_t from);

/* The first one from `from` on that is stored, or `otherwise`. */
uint64_t stored_objects_next(const struct stored_objects *stored, uint64_t from,
                             uint64_t otherwise);

/* Objects along axis d; a shard is one. */
uint64_t stored_objects_along(const struct zarr_meta *meta, unsigned d);

#endif
