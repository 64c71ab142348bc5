/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_text: an object of metadata, read in pieces, without what vczfs has no use for.
 */
#ifndef VCZFS_ZARR_META_META_TEXT_H
#define VCZFS_ZARR_META_META_TEXT_H

#include "common/buf.h"
#include "common/err.h"
#include "encoderd/zarr/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* An object may have so many bytes, most of which are attributes of no use here; and what is kept
 * of it, text and tree, may take so many: no more than two are held at a time, which is within the
 * least --memory. */
#define META_NBYTES_MAX ((uint64_t)64 << 20)
#define META_COST_MAX   ((size_t)8 << 20)

/* Four 64-bit FNV-1a sums from different starts: enough to notice a change, which is all an
 * identity is for; nobody is kept out by it. */
struct meta_digest {
    uint64_t sums[4];
};

/* Appended to out; *found says whether the object exists. `digest` (or NULL) is of `name` and the
 * whole text as it is stored. ERR_UNSUPPORTED if what is kept costs more than META_COST_MAX. */
int meta_text_read(const struct store *store, const char *key, const char *name, struct buf *out,
                   struct meta_digest *digest, bool *found, struct err *err);

/* The same with another bound. */
int meta_text_read_within(const struct store *store, const char *key, const char *name,
                          size_t cost_max, struct buf *out, struct meta_digest *digest, bool *found,
                          struct err *err);

#endif
