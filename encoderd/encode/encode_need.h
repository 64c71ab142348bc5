/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_need: what a cell has to have from the store before it is run, asked for ahead.
 *
 * A cell that is run when encode_need has said NEED_THERE waits for no storage.
 */
#ifndef VCZFS_ENCODE_ENCODE_NEED_H
#define VCZFS_ENCODE_ENCODE_NEED_H

#include "encoderd/encode/cell_need.h"
#include "encoderd/encode/encode_grid.h"
#include "encoderd/encode/encode_worker.h"

/*
 * Works out what the cell will read, and asks the store for what is not there. Never waits. out of
 * the target may be NULL. Of the worker only its own thread may be using anything meanwhile. err is
 * set with NEED_FAILED, as encode_cell would have set it. NEED_THERE: encode_cell takes no waiting.
 * NEED_WAITS: need->wake says when to call this again. NEED_FULL: when bytes were given back.
 * NEED_SLOW: encode_cell reads by itself, and may wait.
 */
enum need encode_need(const struct format_view *format, const struct encode_target *target,
                      const struct encode_cell *cell, struct encode_worker *worker,
                      struct cell_need *need, struct err *err);

/* Gives all back, and withdraws what the store has not begun. Waits for no storage, only, if `wake`
 * is being called just now, for that call: so no lock that `wake` takes may be held. It is not
 * called afterwards. */
void cell_need_clear(struct cell_need *need);

#endif
