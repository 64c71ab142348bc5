/* SPDX-License-Identifier: Apache-2.0 */
/*
 * next: what a worker does next. Everything is under the core's lock.
 */
#ifndef VCZFS_SERVE_NEXT_H
#define VCZFS_SERVE_NEXT_H

#include "encoderd/serve/sched_core.h"

/* The span whose cell should be taken next, or NULL. */
struct span *next_span(struct sched_core *core);

/* Takes a cell for a thread that may wait for storage; NULL if there is none. */
struct cell *next_slow_cell(struct sched_core *core);

#endif
