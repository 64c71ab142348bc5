/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched: spans of stream files, made by worker threads, leased to readers.
 *
 * The unit of delivery is a span: a range of a file's bytes in the arena. A read is answered by a
 * lease of a span that covers its first byte. Random reads get a span of just what they asked for,
 * so that they cost the blocks that they touch; a handle that reads on gets spans of whole rows
 * that grow to a few MiB, and the spans after them are begun before it asks. Spans are shared
 * between handles, kept while there is room, and never move or change while a lease is out.
 *
 * All calls come from one thread (the server's); workers report through wake_fd. Memory is the
 * arena's, one scratch per worker, two more once there are chunks that have to be read by who may
 * wait, and the bytes in flight: a read that finds no room waits until leases come back.
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

/* Stops the workers and forgets everything; open leases become invalid. */
void sched_free(struct sched *sched);

/* An eventfd that is readable when sched_answers has something to say. */
int sched_wake_fd(const struct sched *sched);

/* Queues a read that has been checked: a stream file, length > 0, offset inside the file. Work on
 * it begins with the next sched_answers, so that one call begins all that came together. */
void sched_read(struct sched *sched, const struct sched_read *read);

/* Takes up to max answers that are due; returns how many. Makes what is small and alone on the
 * spot. Call after sched_read, sched_return and whenever wake_fd is readable, until it returns less
 * than max. */
size_t sched_answers(struct sched *sched, struct sched_answer *answers, size_t max);

/* False if there is no such lease. */
bool sched_return(struct sched *sched, uint64_t lease);

/* The handle is closed: work ahead for it alone is dropped. Its reads are answered all the same. */
void sched_release(struct sched *sched, uint64_t handle);

/* Nobody has asked for anything in a while: drop cached spans and give memory back. */
void sched_idle(struct sched *sched);

/* To be called every second while there are reads, and sched_answers after it: a wake-up that was
 * lost, or memory that was short for a moment, must cost a second and not a reader its answer. True
 * if any worker is busy or any read waits. */
bool sched_look(struct sched *sched);

void sched_stats(struct sched *sched, struct sched_stats *out);

#endif
