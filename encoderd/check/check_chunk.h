/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_chunk: one chunk, decoded and looked at.
 */
#ifndef VCZFS_CHECK_CHECK_CHUNK_H
#define VCZFS_CHECK_CHECK_CHUNK_H

#include "encoderd/check/check_counts.h"
#include "encoderd/check/check_state.h"

/* What one thread needs. */
struct check_worker;
struct check_worker *check_worker_new(const struct check *check, size_t scratch_max,
                                      struct err *err);
void check_worker_free(struct check_worker *worker);

/* Decodes the chunk and looks at its values. What is wrong goes to `problems`; totals are added to,
 * and `counts` is what was counted of genotypes, if any. */
void check_chunk(struct check_worker *worker, const struct zarr_array *array, const uint64_t *index,
                 struct check_totals *totals, struct call_counts *counts,
                 struct problems *problems);

#endif
