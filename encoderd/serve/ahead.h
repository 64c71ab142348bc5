/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead: what is begun before anybody asks for it.
 *
 * What a sequential reader is going to ask for next is made. What it will ask for after that is
 * only asked of the store, as far ahead as it takes for the store's bytes to be there in time: not
 * at all where they always are at once, and several times as far each time that the reader had to
 * wait for them all the same.
 *
 * All on the server's thread, under the core's lock.
 */
#ifndef VCZFS_SERVE_AHEAD_H
#define VCZFS_SERVE_AHEAD_H

#include "encoderd/serve/readers.h"
#include "encoderd/serve/sched_core.h"

/* The reader has come to a span that lay there: how far ahead should it be, now? */
void ahead_learn(const struct sched_core *core, struct handle *handle, struct span *span);

/* Begins what follows after byte `at` of the handle's file. */
void ahead_work(struct sched_core *core, struct handle *handle, const struct plan_limits *limits,
                uint64_t at);

/* The handle reads on elsewhere, or not at all. */
void ahead_forget(struct sched_core *core, struct handle *handle);

#endif
