/* SPDX-License-Identifier: Apache-2.0 */
/*
 * get: a range's answer, made on the calling thread by a kind's own operations.
 */
#ifndef VCZFS_ZARR_STORE_GET_H
#define VCZFS_ZARR_STORE_GET_H

#include "encoderd/zarr/store/kind.h"

/* A relative path without empty, "." or ".." components; "" only where root_ok. */
int key_check(const struct store *store, const char *key, bool root_ok, struct err *err);

/* The same for the same key; others may have it, too, if rarely. */
uint64_t key_id(const char *key);

/* Cuts the range by the end of an object of that size: *offset is where it begins, counted from the
 * beginning. How many bytes are left of it. */
uint64_t range_cut(const struct store_range *range, uint64_t size, uint64_t *offset);

/* What all objects have, with one reference. For ops->get; what ops->open opens is given it by
 * get_object. */
void object_init(struct object *object, const struct store *store, const char *key);

/* Opens a range's object; ops->open, and what all objects have. */
enum got get_object(const struct store *store, const struct store_range *range, bool may_wait,
                    struct object **out, struct err *err);

/* Answers the range. False only where may_wait is false: then nothing but its object and its bytes
 * is touched. Not counted. */
bool get_range(const struct store *store, struct store_range *range, bool may_wait);

/* Counts an answer, and says in it whether it took waiting. */
void range_answered(const struct store *store, struct store_range *range, bool waited);

#endif
