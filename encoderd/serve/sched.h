/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched: spans of stream files, made by worker threads, leased to readers.
 *
 * The unit of delivery is a span: a range of a file's bytes in the arena. A read is answered by a
 * lease of a span that covers its first byte. A random read gets a span of only the bytes that it
 * asked for, so that it costs only the blocks that it touches. A handle with sequential reads gets
 * spans of whole rows that grow to a few MiB, and the spans after them are begun before it asks.
 * Handles share spans. Spans are kept while there is room, and never move or change while they are
 * leased.
 *
 * All calls come from one thread (the server's); workers report through wake_fd. Memory is the
 * arena, one scratch per worker, two more as soon as chunks have to be read by threads that may
 * wait, and the bytes in flight. A read that finds no room waits until leases come back.
 */
#ifndef VCZFS_SERVE_SCHED_H
#define VCZFS_SERVE_SCHED_H

#include "encoderd/serve/arena.h"
#include "encoderd/serve/sched_types.h"
#include "encoderd/serve/view.h"

struct sched;

/* view and arena are borrowed. */
struct sched *sched_new(const struct view *view, struct arena *arena,
                        const struct sched_config *config, struct err *err);

/* Stops the workers and frees everything; open leases become invalid. */
void sched_free(struct sched *sched);

/* An eventfd that is readable when sched_answers may have an answer. */
int sched_wake_fd(const struct sched *sched);

/* Queues a read that was checked: of a stream file, length > 0, offset inside the file. Work on it
 * begins with the next sched_answers, so that reads that came together begin together. */
void sched_read(struct sched *sched, const struct sched_read *read);

/* Takes up to max answers that are due; returns their number. Also makes a single small span
 * itself. Call it after sched_read, after sched_return and whenever wake_fd is readable, until it
 * returns less than max. */
size_t sched_answers(struct sched *sched, struct sched_answer *answers, size_t max);

/* Returns a lease; false if there is no such lease. */
bool sched_return(struct sched *sched, uint64_t lease);

/* The handle is closed: drops work ahead that is only for it. Its reads are still answered. */
void sched_release(struct sched *sched, uint64_t handle);

/* There were no requests for a while: drops cached spans and frees memory. */
void sched_idle(struct sched *sched);

/* To be called every second while there are reads, and sched_answers after it. So a wake-up that
 * was lost, or memory that was short for a moment, delays a read by a second, but does not leave it
 * unanswered. True if any worker is busy or any read waits. */
bool sched_look(struct sched *sched);

void sched_stats(struct sched *sched, struct sched_stats *out);

#endif
