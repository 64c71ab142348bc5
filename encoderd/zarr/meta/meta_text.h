/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_text: reads a metadata object in pieces, without the parts that vczfs does not use.
 */
#ifndef VCZFS_ZARR_META_META_TEXT_H
#define VCZFS_ZARR_META_META_TEXT_H

#include "common/buf.h"
#include "common/err.h"
#include "encoderd/zarr/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Limits: the bytes of an object, which may be mostly attributes that are not used, and the memory
 * of what is kept (text and tree). At most two are held at a time, which fits into the smallest
 * --memory. */
#define META_NBYTES_MAX ((uint64_t)64 << 20)
#define META_COST_MAX   ((size_t)8 << 20)

/* Four 64-bit FNV-1a sums with different starts. It serves to notice changes, not to resist an
 * attacker. */
struct meta_digest {
    uint64_t sums[4];
};

/* Reads a text and appends it to out; *found says whether the object exists. `digest` (or NULL) is
 * of `name` and the whole stored text. ERR_UNSUPPORTED if what is kept costs more than
 * META_COST_MAX. */
int meta_text_read(const struct store *store, const char *key, const char *name, struct buf *out,
                   struct meta_digest *digest, bool *found, struct err *err);

/* The same with another limit. */
int meta_text_read_within(const struct store *store, const char *key, const char *name,
                          size_t cost_max, struct buf *out, struct meta_digest *digest, bool *found,
                          struct err *err);

#endif
