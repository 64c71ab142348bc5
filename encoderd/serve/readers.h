/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readers: what each handle has been doing on each file, and so how much to make for it.
 *
 * The server's thread only.
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
    /* Bytes beyond what is near that are asked of the store: see ahead.h. */
    uint64_t far;
    uint64_t far_end;  /* so far in the file they have been */
    uint64_t far_gone; /* spans that were given up (nfar_gone), then */
};
TAILQ_HEAD(handles, handle);

/* Where some reader of a file has got to. */
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

/* The handle's history on this file. NULL if it is closed, or there was no memory for it. */
struct handle *readers_find(const struct readers *readers, uint64_t id, size_t file);

/* Begins a history where there is none. Only when a read comes: what is left of a read that waited
 * for room must not bring back a handle that was closed meanwhile, which nobody would close
 * again. */
void readers_note(struct readers *readers, uint64_t id, size_t file);

/* The handle is closed. */
void readers_release(struct readers *readers, uint64_t id);

/* Plans for a read and keeps the handle's history and the count of sequential readers right. */
struct extent_plan readers_plan(struct readers *readers, struct handle *handle,
                                const struct view_file *file, const struct plan_limits *limits,
                                const struct sched_read *read);

/* The handle's next read was placed: others may go on from there. */
void readers_note_run(struct readers *readers, const struct sched_read *read,
                      const struct reader *reader);

#endif
