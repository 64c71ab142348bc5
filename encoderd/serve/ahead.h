/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead: the work that is begun before any read asks for it.
 *
 * The spans that a sequential reader will ask for next are made. The spans after those are only
 * fetched from the store, as far ahead as needed for the bytes to be there in time: not at all if
 * they always come at once, and several times as far each time that the reader had to wait for them
 * nevertheless.
 *
 * Everything runs on the server's thread, under the core's lock.
 */
#ifndef VCZFS_SERVE_AHEAD_H
#define VCZFS_SERVE_AHEAD_H

#include "encoderd/serve/readers.h"
#include "encoderd/serve/sched_core.h"

/* The reader has come to a span that existed already: adjusts how far ahead the store is asked. */
void ahead_learn(const struct sched_core *core, struct handle *handle, struct span *span);

/* Begins the work that follows byte `at` of the handle's file. */
void ahead_work(struct sched_core *core, struct handle *handle, const struct plan_limits *limits,
                uint64_t at);

/* The handle's reads continue elsewhere, or have ended. */
void ahead_forget(struct sched_core *core, struct handle *handle);

#endif
