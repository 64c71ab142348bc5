/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcz_open: opens a VCF Zarr store, and judges each of its parts.
 */
#ifndef VCZFS_VCZ_VCZ_OPEN_H
#define VCZFS_VCZ_VCZ_OPEN_H

#include "encoderd/vcz/vcz.h"

/*
 * Opens and checks a whole store: the required arrays and the optional ones, their dtypes and
 * shapes, ploidy 1 or 2, at least one sample, no duplicate sample ID. Any fault is an error. Errors
 * name the store and the array. scratch_max: for the decoder that reads the small arrays.
 */
int vcz_open(const char *path, size_t scratch_max, struct vcz **out, struct err *err);

/* The same, with the flags of store_open_with, the argument of store_set_spill, and that of
 * store_watch_from (INT64_MAX to look for no changes); but faults of the store's parts are kept,
 * for vcz_need. It is an error if the path is no VCF Zarr store at all (the message says what it is
 * instead), or if the system fails. */
int vcz_open_with(const char *path, unsigned store_flags, struct spill *spill, int64_t since,
                  size_t scratch_max, struct vcz **out, struct err *err);

void vcz_free(struct vcz *vcz);

#endif
