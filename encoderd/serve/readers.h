/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readers: the history of each handle on each file, from which the plan for its next read is made.
 *
 * Used by the server's thread only.
 */
#ifndef VCZFS_SERVE_READERS_H
#define VCZFS_SERVE_READERS_H

#include "encoderd/serve/plan.h"
#include "encoderd/serve/sched_types.h"
#include "encoderd/serve/view.h"

#include <sys/queue.h>

#define HANDLE_BUCKETS 64
#define RUNS_MAX       16

struct handle {
    TAILQ_ENTRY(handle) link;
    uint64_t handle;
    size_t file;
    struct reader reader;
    /* How many bytes ahead, beyond those that are made, the store is asked for: see ahead.h. */
    uint64_t far;
    uint64_t far_end;  /* the byte of the file up to which it was asked */
    uint64_t far_gone; /* nfar_gone at that time: how many spans were given up */
};
TAILQ_HEAD(handles, handle);

/* Where a reader of a file is. */
struct reader_place {
    size_t file;
    struct reader reader;
};

struct readers {
    struct handles handles[HANDLE_BUCKETS]; /* owned */
    uint64_t nhandles, nsequential;
    struct reader_place runs[RUNS_MAX]; /* the latest, in a ring */
    unsigned next_run;
};

void readers_init(struct readers *readers);
void readers_clear(struct readers *readers);

/* The handle's history on this file. NULL if the handle is closed, or if there was no memory for
 * it. */
struct handle *readers_find(const struct readers *readers, uint64_t id, size_t file);

/* Begins a history, if there is none. Only to be called for a new read. A read that waited for room
 * may be placed after its handle was closed; a history begun then would never be released. */
void readers_note(struct readers *readers, uint64_t id, size_t file);

/* The handle is closed. */
void readers_release(struct readers *readers, uint64_t id);

/* Plans for a read, and updates the handle's history and the number of sequential readers. */
struct extent_plan readers_plan(struct readers *readers, struct handle *handle,
                                const struct view_file *file, const struct plan_limits *limits,
                                const struct sched_read *read);

/* The handle's read was placed: other readers may continue from its end. */
void readers_note_run(struct readers *readers, const struct sched_read *read,
                      const struct reader *reader);

#endif
