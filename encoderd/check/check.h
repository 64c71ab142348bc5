/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: is everything in a store readable, and does it say what VCF Zarr lets it say?
 *
 * What `vczfs info --check` does. Reads and decodes every chunk of every array once, in parallel,
 * and goes on after each problem that it finds. Of an array that claims many chunks and stores next
 * to none, one of those that are not stored is looked at for all of them.
 */
#ifndef VCZFS_CHECK_CHECK_H
#define VCZFS_CHECK_CHECK_H

#include "common/buf.h"
#include "encoderd/select/pass.h"

/*
 * absent_fill: chunks that are not stored are taken for their fill value, even where that cannot
 * be. Appends what was found to `report`, as text or as one JSON object: totals, problems by array
 * and chunk (the first 1000 of them), and remarks, which are no problems. *nproblems counts all
 * problems; 0 means that the whole store could be read and made sense. -1 only where there is
 * nothing to check (no store there, not Zarr), or when it was stopped.
 */
int check_store(const char *path, unsigned store_flags, bool absent_fill,
                const struct pass_means *means, bool json, struct buf *report, uint64_t *nproblems,
                struct err *err);

#endif
