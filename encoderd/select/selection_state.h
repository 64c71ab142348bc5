/* SPDX-License-Identifier: Apache-2.0 */
/*
 * selection_state: sets the samples of a selection, and loads a selection that was saved.
 */
#ifndef VCZFS_SELECT_SELECTION_STATE_H
#define VCZFS_SELECT_SELECTION_STATE_H

#include "encoderd/select/selection.h"

/* Sets all fields about samples. order[i] is the number in vcz->sample_id of output sample i; NULL:
 * all n samples in the store's order. */
int selection_set_samples(struct selection *selection, const uint64_t *order, uint64_t n,
                          struct err *err);

/* Loads samples and rows that selection_save made; state_fd -1: all. Checked against the store. */
int selection_load(struct selection *selection, int state_fd, struct err *err);

#endif
