/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recognise: what the user gave in place of a VCF Zarr store, and what to do with it.
 *
 * For messages only. It looks at a few bytes and names, and returns 0 for what it does not
 * recognise.
 */
#ifndef VCZFS_VCZ_RECOGNISE_H
#define VCZFS_VCZ_RECOGNISE_H

#include "encoderd/zarr/store/store.h"

/* -1 and an error if it is a URL, or a file of another format. 0: it may be a store. */
int recognise_path(const char *path, struct err *err);

/* For a store without a group at its root: -1 and an error if it is recognised, else 0. */
int recognise_tree(const struct store *store, struct err *err);

/* For a Zarr group that has neither the attribute nor the arrays of VCF Zarr: always -1 and an
 * error. */
int recognise_group(const struct store *store, struct err *err);

/* The reason why no array is complete, if that is so: the conversion that made the store did not
 * finish. Else NULL. */
const char *recognise_unfinished(const struct store *store);

/* The reason why a required array is absent, for the end of a message. */
const char *recognise_missing(const struct store *store);

#endif
