/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held: chunks that must not be read, because encoders died of them.
 */
#ifndef VCZFS_ZARR_CHUNK_HELD_H
#define VCZFS_ZARR_CHUNK_HELD_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

struct held;

struct held *held_new(struct err *err);
void held_free(struct held *held);

/* Replaces the list; other threads may use it meanwhile. The names are those of chunk_label, cut to
 * EVIDENCE_LABEL_MAX. If memory is short, the last ones are left out. */
void held_set(struct held *held, const char *const *labels, size_t n);

/* Is any chunk held back? NULL: none. Costs almost nothing while none is. */
bool held_any(struct held *held);

/* -1 with ERR_HELD, and the chunk's name as the message, if it is held back. */
int held_check(struct held *held, const char *label, struct err *err);

#endif
