/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_chunk: decodes and checks one chunk.
 */
#ifndef VCZFS_CHECK_CHECK_CHUNK_H
#define VCZFS_CHECK_CHECK_CHUNK_H

#include "encoderd/check/check_counts.h"
#include "encoderd/check/check_state.h"

/* The decoder and memory of one thread. */
struct check_worker;
struct check_worker *check_worker_new(const struct check *check, size_t scratch_max,
                                      struct err *err);
void check_worker_free(struct check_worker *worker);

/* Decodes the chunk and checks its values. Problems are added to `problems`, numbers to `totals`,
 * and alleles of genotypes are counted in `counts`, if it has memory. */
void check_chunk(struct check_worker *worker, const struct zarr_array *array, const uint64_t *index,
                 struct check_totals *totals, struct call_counts *counts,
                 struct problems *problems);

#endif
