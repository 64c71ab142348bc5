/* SPDX-License-Identifier: Apache-2.0 */
/*
 * get: answers a range on the calling thread, with the operations of the kind of store.
 */
#ifndef VCZFS_ZARR_STORE_GET_H
#define VCZFS_ZARR_STORE_GET_H

#include "encoderd/zarr/store/kind.h"

/* Checks that the key is a relative path without empty, "." or ".." components. "" is allowed only
 * if root_ok. */
int key_check(const struct store *store, const char *key, bool root_ok, struct err *err);

/* A hash: equal for equal keys, and rarely for different ones. */
uint64_t key_id(const char *key);

/* Limits the range to an object of that size. *offset is where the range begins, from the start of
 * the object. Returns the length that is left. */
uint64_t range_cut(const struct store_range *range, uint64_t size, uint64_t *offset);

/* Opens the object of a range: calls ops->open and initialises what all objects have. */
enum got get_object(const struct store *store, const struct store_range *range, bool may_wait,
                    struct object **out, struct err *err);

/* Answers the range. False only if may_wait is false; then it has touched nothing but the range's
 * object and its bytes. Does not count the answer. */
bool get_range(const struct store *store, struct store_range *range, bool may_wait);

/* Counts an answer, and records in it whether it had to wait. */
void range_answered(const struct store *store, struct store_range *range, bool waited);

#endif
