/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode_need: finds what a cell needs from the store, and fetches it before the cell is run.
 *
 * If encode_need has returned NEED_THERE, the cell can be run without waiting for storage.
 */
#ifndef VCZFS_ENCODE_ENCODE_NEED_H
#define VCZFS_ENCODE_ENCODE_NEED_H

#include "encoderd/encode/cell_need.h"
#include "encoderd/encode/encode_grid.h"
#include "encoderd/encode/encode_worker.h"

/*
 * Finds what the cell will read, and asks the store for what is not there. Never waits. The
 * target's `out` may be NULL. No other thread may use the worker meanwhile. Returns:
 *   NEED_THERE   encode_cell will not wait
 *   NEED_WAITS   need->wake says when to call this again
 *   NEED_FULL    call this again when other needs have given bytes back
 *   NEED_SLOW    encode_cell must read by itself, and may wait
 *   NEED_FAILED  err is set as encode_cell would set it
 */
enum need encode_need(const struct format_view *format, const struct encode_target *target,
                      const struct encode_cell *cell, struct encode_worker *worker,
                      struct cell_need *need, struct err *err);

/* Gives all bytes back, and withdraws requests that the store has not begun. Does not wait for
 * storage; but if `wake` is running, waits until it returns, so the caller must hold no lock that
 * `wake` takes. Afterwards `wake` is not called. */
void cell_need_clear(struct cell_need *need);

#endif
