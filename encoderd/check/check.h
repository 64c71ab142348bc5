/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: is everything in a store readable, and is it valid VCF Zarr?
 *
 * This is what `vczfs info --check` does. It reads and decodes every chunk of every array once, in
 * parallel, and goes on after each problem that it finds. If an array claims many chunks and stores
 * very few, one chunk that is not stored is checked in place of all of them.
 */
#ifndef VCZFS_CHECK_CHECK_H
#define VCZFS_CHECK_CHECK_H

#include "common/buf.h"
#include "encoderd/select/pass.h"

/*
 * absent_fill: chunks that are not stored are taken as fill value, even where that cannot be.
 * Appends the result to `report`, as text or as one JSON object: totals, problems by array and
 * chunk (the first 1000), and remarks, which are no problems. *nproblems counts all problems; 0
 * means that the whole store could be read and is valid. Returns -1 only if there is nothing to
 * check (no store there, not Zarr), or if it was stopped.
 */
int check_store(const char *path, unsigned store_flags, bool absent_fill,
                const struct pass_means *means, bool json, struct buf *report, uint64_t *nproblems,
                struct err *err);

#endif
