/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selection_state: the samples of a selection, and what of a selection survives an encoder.
 */
#ifndef VCZFS_SELECT_SELECTION_STATE_H
#define VCZFS_SELECT_SELECTION_STATE_H

#include "encoderd/select/selection.h"

/* Sets everything about samples: order[i] is the number in vcz->sample_id of output sample i; NULL:
 * all n of them in the store's order. */
int selection_set_samples(struct selection *selection, const uint64_t *order, uint64_t n,
                          struct err *err);

/* Samples and rows from what selection_save made; state_fd -1: all. Checked against the store. */
int selection_load(struct selection *selection, int state_fd, struct err *err);

#endif
