/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span: ranges of stream files in the arena, their cells, and the state of each.
 *
 * A span is made cell by cell (encode.h). For each cell, a thread finds what it needs from the
 * store; the cell waits until that is there, and is then run. A span that is begun ahead has no
 * part of the arena until its reader is near. Until then its cells are asked, wait and become
 * ready, but are not run.
 *
 * Private to the scheduler; every function is called under the core's lock. The lock covers all
 * fields, except where a comment says otherwise.
 */
#ifndef VCZFS_SERVE_SPAN_H
#define VCZFS_SERVE_SPAN_H

#include "common/pool.h"
#include "encoderd/encode/encode_need.h"
#include "encoderd/serve/arena.h"
#include "encoderd/serve/sched_types.h"

#include <sys/queue.h>

/* How much to make for a read: less, if more has failed. */
enum reach {
    REACH_PLANNED, /* what its reader will probably ask for */
    REACH_EXACT,   /* only what was asked for */
    REACH_ROW,     /* of that, only one row's part */
};

/* A read that waits for a span, or for room to make one. */
struct waiter {
    TAILQ_ENTRY(waiter) link;
    struct sched_read read;
    enum reach reach;
};
TAILQ_HEAD(waiters, waiter);

enum cell_state {
    /* In the span's list of that name. */
    CELL_UNKNOWN, /* to be asked (again) what it needs */
    CELL_WAITS,   /* for the store */
    CELL_FULL,    /* for room among the bytes in flight */
    /* its bytes are there; but the span has no part of the arena, or this is the end and other
     * cells are not finished */
    CELL_READY,
    CELL_SLOW, /* must be run by a thread that may wait for storage */
    CELL_NLISTS,
    CELL_TAKEN,   /* belongs to a thread: in no list */
    CELL_DROPPED, /* in the table's list: not needed any more, its need must be cleared */
};

/* A cell that has been handed out and is not finished. Fields marked + are set under the lock, when
 * the cell is taken or may be run after all; the thread that has taken it reads them without. */
struct cell {
    struct cell_need
        need; /* without the lock: belongs to the thread that has taken or dropped it */
    TAILQ_ENTRY(cell) link;
    struct sched_core *core; /* for `wake`; borrowed */
    struct span *span;       /* not valid if the cell is CELL_DROPPED */
    enum cell_state state;
    uint64_t number;         /* in the span; ncells for the end */
    bool woken;              /* while taken: the store has what it asked for */
    uint64_t nclears;        /* while taken: core->nclears when it was taken */
    bool may_run;            /* +: if its bytes are there, it must be run at once */
    bool is_ready;           /* +: its bytes are there: it was CELL_READY */
    struct encode_cell what; /* + */
    struct encode_target
        target; /* +: the span's, with its part of the arena if it had one at that time */
};
TAILQ_HEAD(cells, cell);

enum span_place {
    SPAN_DEMAND,  /* there is work for it, and a read waits for it; by age */
    SPAN_AHEAD,   /* there is work for it, and no read waits for it yet; by age */
    SPAN_FETCH,   /* its remaining cells wait: for the store, or for a part of the arena */
    SPAN_RUNNING, /* its remaining cells are being made */
    SPAN_DONE,    /* finished; the server has not handled it yet */
    SPAN_RESTING, /* ready; leased, or kept for later reads */
    SPAN_NPLACES,
};

/* Memory that a span keeps when it is used again. */
struct span_memory {
    uint64_t *words; /* owned */
    uint64_t cap;
};

/* The first_element of a cell that has begun: it takes no donation. */
#define CELL_BEGUN UINT64_MAX

/* These are set before the lock is first dropped, and are constant afterwards; threads that have
 * one of the cells read them without the lock: file, format, grid, ncells, has_end, keep, and begin
 * and end of target. */
struct span {
    struct span_memory memory; /* first: see pool_init */
    /* The first element of each of the first nfirst cells (the grid's first row of genotype
     * chunks); donations increase it. It is in `memory`, and the target's notes are behind it. */
    uint64_t *first_element;
    uint64_t nfirst;        /* 0 if there are too many chunks */
    TAILQ_ENTRY(span) link; /* in the list of its place */
    enum span_place place;
    uint64_t order; /* its age: smaller is older */
    size_t file;
    const struct format_view *format;
    struct encode_target
        target;  /* its bytes of the file; `out` is NULL while it has no part of the arena */
    uint64_t at; /* ARENA_NONE while it has no part of it */
    struct encode_grid grid;
    uint64_t ncells; /* of the grid */
    bool has_end;    /* a CELL_END follows when all other cells are finished */
    /* the next cell to be handed out for the first time: up to ncells + has_end */
    uint64_t next_cell;
    struct cells cells[CELL_NLISTS]; /* by number */
    uint64_t nhanded;                /* cells handed out and not finished */
    uint64_t nbusy;                  /* cells that threads have, and donations in progress */
    uint64_t pending;                /* cells, the end and donations that are not finished */
    uint64_t for_handle;             /* the handle that it was begun ahead for */
    uint64_t nleases;
    bool demand; /* a read waits for it, or has waited */
    bool waited; /* a cell of it has had to wait for the store */
    bool grown;  /* its reader's distance ahead was changed because of it, which is done once */
    bool keep;   /* to be kept without a lease: not a random reader's */
    /* begun ahead: only to be made when so many bytes are queued, its own included */
    uint64_t gather;
    bool unread; /* begun ahead, and not read yet, but its reader is expected */
    bool failed;
    struct err err;
    struct waiters waiters; /* owned */
};
TAILQ_HEAD(spans, span);

struct span_table {
    struct arena *arena; /* borrowed */
    struct spans places[SPAN_NPLACES];
    struct cells dropped; /* their needs must be cleared, without the lock */
    uint64_t nspans, next_order;
    /* of the arena, for spans that no read has asked for yet and that still have work or wait */
    uint64_t nbytes_ahead;
    uint64_t nfar;         /* spans without a part of the arena */
    uint64_t nfar_gone;    /* spans that were freed without ever having one */
    uint64_t nfull, nslow; /* cells in these states */
    struct pool pool;      /* spans */
    struct pool cells;
    struct pool waiters; /* shared by all who make waiters */
};

#define SPANS_MAX 2048

void span_table_init(struct span_table *table, struct arena *arena);

/* Frees all spans. Their cells are then in `dropped`, and must be cleared and returned before
 * span_table_clear. */
void span_table_empty(struct span_table *table);
void span_table_clear(struct span_table *table); /* for good */

enum span_kind {
    SPAN_KIND_DEMAND,
    SPAN_KIND_AHEAD,
    SPAN_KIND_FAR, /* ahead, without a part of the arena */
};

/* Makes a new span, which workers see when the lock is dropped. To make room, frees resting spans
 * without a lease, the least recently used first; for demand, then also unread spans and work ahead
 * that has not begun. NULL if there is no room or no memory. */
struct span *span_new(struct span_table *table, const struct format_view *format, size_t file,
                      uint64_t begin, uint64_t end, enum span_kind kind);

/* Gives a span a part of the arena, making room in the same way, and calls encode_begin; false if
 * there is no room. */
bool span_take_room(struct span_table *table, struct span *span, bool demand);

/* Frees the span and its part of the arena, and drops its cells. It must have no waiter and no
 * lease, and no thread may be working on it. */
void span_free(struct span_table *table, struct span *span);

/* True if nothing of the span is made, and no thread is working on it. */
static inline bool span_is_untouched(const struct span *span)
{
    return span->nbusy == 0 && span->pending == span->ncells + span->has_end;
}

/* True if only the end is left. */
static inline bool span_end_is_due(const struct span *span)
{
    return span->has_end && span->pending == 1;
}

/* Takes a cell: a new one, or one that was woken, or one that is ready and may be run. NULL if
 * there is none; *no_memory says whether memory was lacking. */
struct cell *span_take_cell(struct span_table *table, struct span *span, bool *no_memory);

/* True if there are cells that were never handed out, and may be. */
bool span_has_new_cells(const struct span *span);

/* Takes a cell that only a thread that may wait can run; NULL if there is none. */
struct cell *span_take_slow(struct span_table *table, struct span *span);

/* Begins a taken cell, if it may be run by now; returns whether it may. */
bool span_begin_cell(struct span *span, struct cell *cell);

/* Puts a taken cell that could not be run into the list of this state. */
void span_put_cell(struct span_table *table, struct cell *cell, enum cell_state state);

/* Ends and frees a taken cell, whose need was cleared. */
void span_end_cell(struct span_table *table, struct cell *cell);

/* Cells of a list become CELL_UNKNOWN. */
void span_ask_again(struct span_table *table, struct span *span, enum cell_state state);

/* A cell in CELL_WAITS becomes CELL_UNKNOWN. */
void span_wake_cell(struct span_table *table, struct cell *cell);

/* The span has failed: drops the cells that no thread has. */
void span_drop_cells(struct span_table *table, struct span *span);

/* To the end of another place's list. */
void span_move(struct span_table *table, struct span *span, enum span_place place);

/* Moves the span to the place that its cells' states require, unless it is finished. */
void span_settle(struct span_table *table, struct span *span);

/* A read now waits for the span. */
void span_demand(struct span_table *table, struct span *span);

/* The span that holds byte `offset`; if there are several, the one that ends last; NULL if there is
 * none. */
struct span *span_covering(const struct span_table *table, size_t file, uint64_t offset);

/* The least begin of a span in (after, before), or `before`. */
uint64_t span_next_begin(const struct span_table *table, size_t file, uint64_t after,
                         uint64_t before);

/* A span that begins at `begin`, has a part of the arena, and may have cells that have not begun;
 * NULL if there is none. */
struct span *span_queued_at(const struct span_table *table, size_t file, uint64_t begin);

/* The youngest span without a part of the arena that no thread is working on; NULL if there is
 * none. */
struct span *span_furthest(const struct span_table *table);

/* Frees resting spans without a lease, the least recently used first, until they have at most
 * `nbytes`. Unread spans are not counted, and are kept unless `unread_too`. */
void span_table_trim(struct span_table *table, uint64_t nbytes, bool unread_too);

/* Frees untouched spans that were begun ahead for this handle; if far_only, only those without a
 * part of the arena. */
void span_table_drop_ahead(struct span_table *table, uint64_t handle, bool far_only);

/* Frees all spans without a part of the arena that no thread is working on. */
void span_table_drop_far(struct span_table *table);

/* The handle's reader will not come to the spans that were begun ahead for it. */
void span_table_give_up(struct span_table *table, uint64_t handle);

#endif
