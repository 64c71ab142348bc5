/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_arrays: the arrays of the store, and whether their axes have matching lengths.
 */
#ifndef VCZFS_CHECK_CHECK_ARRAYS_H
#define VCZFS_CHECK_CHECK_ARRAYS_H

#include "encoderd/check/check_state.h"

/* Opens all arrays that can be opened; the others are problems. -1 if the store cannot be
 * listed. */
int check_list_arrays(struct check *check, struct err *err);

/* NULL if it has none of that name. */
const struct zarr_array *check_find_array(const struct check *check, const char *name);

void check_shapes(struct check *check);

#endif
