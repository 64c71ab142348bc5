/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held: chunks that are not to be touched, because encoders died of them.
 */
#ifndef VCZFS_ZARR_CHUNK_HELD_H
#define VCZFS_ZARR_CHUNK_HELD_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

struct held;

struct held *held_new(struct err *err);
void held_free(struct held *held);

/* In place of those before; any thread may be asking meanwhile. Names as chunk_label makes them,
 * cut to EVIDENCE_LABEL_MAX. Those past what memory there is for are not held. */
void held_set(struct held *held, const char *const *labels, size_t n);

/* NULL: none are. Costs next to nothing while none are. */
bool held_any(struct held *held);

/* -1 with ERR_HELD and the name for message if it is held. */
int held_check(struct held *held, const char *label, struct err *err);

#endif
