/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recognise: what was given in place of a VCF Zarr store, and what to do with it.
 *
 * For messages only: it looks at a few bytes and names, and what it does not know it leaves to
 * others.
 */
#ifndef VCZFS_VCZ_RECOGNISE_H
#define VCZFS_VCZ_RECOGNISE_H

#include "encoderd/zarr/store/store.h"

/* A URL, or a file of another format: -1. Otherwise 0: there may be a store. */
int recognise_path(const char *path, struct err *err);

/* A store without a group at its root: -1 if it is known what it is, else 0. */
int recognise_tree(const struct store *store, struct err *err);

/* A Zarr group that has neither the attribute nor the arrays of VCF Zarr: always -1. */
int recognise_group(const struct store *store, struct err *err);

/* Why no array is complete: the conversion that made the store did not finish. NULL if that is not
 * so. */
const char *recognise_unfinished(const struct store *store);

/* Why an array that must be there is not, for the end of a message. */
const char *recognise_missing(const struct store *store);

#endif
