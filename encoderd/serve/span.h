/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span: ranges of stream files in the arena, their cells, and where each stands.
 *
 * A span is made cell by cell (encode.h). A cell is asked what it needs of the store, waits for
 * that if it is not there, and is run. A span that is begun ahead has no part of the arena until
 * somebody is near: until then its cells are asked, and wait, and are ready, and no more.
 *
 * Private to the scheduler; every call is made under the core's lock, which covers all that there
 * is in here but for what its comment says.
 */
#ifndef VCZFS_SERVE_SPAN_H
#define VCZFS_SERVE_SPAN_H

#include "common/pool.h"
#include "encoderd/encode/encode_need.h"
#include "encoderd/serve/arena.h"
#include "encoderd/serve/sched_types.h"

#include <sys/queue.h>

/* How much to make for a read: less, once that failed. */
enum reach {
    REACH_PLANNED, /* what its reader is likely to want */
    REACH_EXACT,   /* just what was asked for */
    REACH_ROW,     /* of that, what is of one row */
};

/* A read that waits for a span, or for room to make one. */
struct waiter {
    TAILQ_ENTRY(waiter) link;
    struct sched_read read;
    enum reach reach;
};
TAILQ_HEAD(waiters, waiter);

enum cell_state {
    /* In the list of that name of its span. */
    CELL_UNKNOWN, /* to be asked what it needs, once more */
    CELL_WAITS,   /* for the store */
    CELL_FULL,    /* for room among the bytes in flight */
    CELL_READY,   /* its bytes are there; the span has no part of the arena, or it is the end and
                     others are not */
    CELL_SLOW,    /* for a thread that may wait for storage */
    CELL_NLISTS,
    CELL_TAKEN,   /* a thread has it: in no list */
    CELL_DROPPED, /* in the table's list: nobody needs it any more, and its need is to be cleared */
};

/* A cell that has been handed out and is not finished. What is marked + is set under the lock when
 * it is taken, or may be run after all, and read by the thread that has taken it without. */
struct cell {
    struct cell_need need; /* without the lock: the thread's that has taken it, or dropped it */
    TAILQ_ENTRY(cell) link;
    struct sched_core *core; /* for who wakes it; borrowed */
    struct span *span;       /* gone if it is CELL_DROPPED */
    enum cell_state state;
    uint64_t number;         /* of the span's; ncells for what comes at the end */
    bool woken;              /* taken: the store has what it asked for already */
    uint64_t nclears;        /* taken: the core's then */
    bool may_run;            /* +: if its bytes are there, it is to be run at once */
    bool is_ready;           /* +: they are, it was CELL_READY */
    struct encode_cell what; /* + */
    struct encode_target
        target; /* +: the span's, with its part of the arena if it has one by then */
};
TAILQ_HEAD(cells, cell);

enum span_place {
    SPAN_DEMAND,  /* there is something to do for it, and somebody waits; by age */
    SPAN_AHEAD,   /* there is something to do for it, and nobody waits yet; by age */
    SPAN_FETCH,   /* all that is left to do waits: for the store, or for a part of the arena */
    SPAN_RUNNING, /* all that is left to do is being done */
    SPAN_DONE,    /* finished; the server has not looked yet */
    SPAN_RESTING, /* ready; leased, or kept because somebody may ask again */
    SPAN_NPLACES,
};

/* Memory that a span keeps when it is recycled. */
struct span_memory {
    uint64_t *words; /* owned */
    uint64_t cap;
};

/* The first element of a cell that has been begun: it takes no donation. */
#define CELL_BEGUN UINT64_MAX

/* Set before the lock is dropped for the first time, and then only read, by threads that have a
 * cell of it without the lock: file, format, grid, ncells, has_end, keep, and begin and end of
 * target. */
struct span {
    struct span_memory memory; /* first: see pool_init */
    /* Where each of the first nfirst cells (the grid's first row of genotype chunks) begins: moved
     * on by donations. In memory, as are the target's notes behind it. */
    uint64_t *first_element;
    uint64_t nfirst;        /* 0 when there are too many to be worth it */
    TAILQ_ENTRY(span) link; /* in the list of its place */
    enum span_place place;
    uint64_t order; /* its age: smaller is older */
    size_t file;
    const struct format_view *format;
    struct encode_target
        target;  /* its bytes of the file; its part of the arena, NULL while it has none */
    uint64_t at; /* ARENA_NONE while it has none */
    struct encode_grid grid;
    uint64_t ncells;    /* of the grid */
    bool has_end;       /* then comes a CELL_END, when all others are finished */
    uint64_t next_cell; /* the next to be handed out for the first time: up to ncells + has_end */
    struct cells cells[CELL_NLISTS]; /* by number */
    uint64_t nhanded;                /* cells handed out and not finished */
    uint64_t nbusy;                  /* those that threads have, and donations under way */
    uint64_t pending;                /* cells, the end and donations not finished */
    uint64_t for_handle;             /* who it was begun ahead for */
    uint64_t nleases;
    bool demand;     /* somebody waits for it, or did */
    bool waited;     /* a cell of it has had to wait for the store */
    bool grown;      /* its reader's distance was changed for it, which is done once */
    bool keep;       /* worth keeping when nobody holds it: not what a random reader asked for */
    uint64_t gather; /* begun ahead: not before so many bytes are queued, itself included */
    bool unread;     /* begun ahead, and nobody has had it yet, but somebody is on the way */
    bool failed;
    struct err err;
    struct waiters waiters; /* owned */
};
TAILQ_HEAD(spans, span);

struct span_table {
    struct arena *arena; /* borrowed */
    struct spans places[SPAN_NPLACES];
    struct cells dropped; /* their needs are to be cleared, without the lock */
    uint64_t nspans, next_order;
    uint64_t nbytes_ahead; /* of the arena, for spans that nobody has asked for yet and are not all
                              being done */
    uint64_t nfar;         /* spans that have no part of the arena */
    uint64_t nfar_gone;    /* that went without ever having one */
    uint64_t nfull, nslow; /* cells in those states */
    struct pool pool;      /* spans */
    struct pool cells;
    struct pool waiters; /* of everybody who makes some */
};

#define SPANS_MAX 2048

void span_table_init(struct span_table *table, struct arena *arena);

/* Frees all spans: their cells are in `dropped` then, to be cleared and put back before
 * span_table_clear. */
void span_table_empty(struct span_table *table);
void span_table_clear(struct span_table *table); /* for good */

enum span_kind {
    SPAN_KIND_DEMAND,
    SPAN_KIND_AHEAD,
    SPAN_KIND_FAR, /* ahead, without a part of the arena */
};

/* A new span; not yet visible to workers until the lock is dropped. Drops resting spans that nobody
 * holds, the least recently used first, and then, for demand, those that are unread and work ahead
 * that has not begun, until there is room. NULL if there is none. */
struct span *span_new(struct span_table *table, const struct format_view *format, size_t file,
                      uint64_t begin, uint64_t end, enum span_kind kind);

/* Gives a span that has none its part of the arena, in the same way, and does encode_begin; false
 * if there is no room. */
bool span_take_room(struct span_table *table, struct span *span, bool demand);

/* Frees the span and its part of the arena, and drops its cells. It must have no waiter, no lease,
 * and no thread that is at it. */
void span_free(struct span_table *table, struct span *span);

/* Has nothing of the span been made, and is no thread at it? */
static inline bool span_is_untouched(const struct span *span)
{
    return span->nbusy == 0 && span->pending == span->ncells + span->has_end;
}

/* Is all that is left what comes at the end? */
static inline bool span_end_is_due(const struct span *span)
{
    return span->has_end && span->pending == 1;
}

/* A cell, taken: one that is handed out for the first time, or one that was woken, or one that is
 * ready and may be run. NULL if there is none. *none says whether that is for want of memory. */
struct cell *span_take_cell(struct span_table *table, struct span *span, bool *no_memory);

/* May this cell be run, once its bytes are there? */
bool span_may_run(const struct span *span, uint64_t number);

/* Are there cells that have never been handed out, and may be? */
bool span_has_new_cells(const struct span *span);

/* A cell of it that only a thread which may wait can run, taken; NULL if there is none. */
struct cell *span_take_slow(struct span_table *table, struct span *span);

/* A taken cell that is to be run after all, if it may be by now; whether that is so. */
bool span_begin_cell(struct span *span, struct cell *cell);

/* Where a cell that was taken goes when it could not be run. */
void span_put_cell(struct span_table *table, struct cell *cell, enum cell_state state);

/* A cell that was taken is over, and goes. Its need has been cleared. */
void span_end_cell(struct span_table *table, struct cell *cell);

/* Cells of a list become CELL_UNKNOWN. */
void span_ask_again(struct span_table *table, struct span *span, enum cell_state state);

/* The same for one that waits. */
void span_wake_cell(struct span_table *table, struct cell *cell);

/* The span has failed: drops what no thread has. */
void span_drop_cells(struct span_table *table, struct span *span);

/* To the end of another place's list. */
void span_move(struct span_table *table, struct span *span, enum span_place place);

/* To the place that its cells say, until it is done. */
void span_settle(struct span_table *table, struct span *span);

/* Somebody waits for it now. */
void span_demand(struct span_table *table, struct span *span);

/* The span that holds byte `offset`, reaching furthest; NULL if none. */
struct span *span_covering(const struct span_table *table, size_t file, uint64_t offset);

/* The least begin of a span in (after, before), or `before`. */
uint64_t span_next_begin(const struct span_table *table, size_t file, uint64_t after,
                         uint64_t before);

/* A span that begins at `begin`, has its part of the arena, and may have cells that have not begun;
 * NULL if none. */
struct span *span_queued_at(const struct span_table *table, size_t file, uint64_t begin);

/* The youngest without a part of the arena that no thread is at; NULL if there is none. */
struct span *span_furthest(const struct span_table *table);

/* Drops resting spans that nobody holds, the least recently used first, until at most `nbytes` of
 * them are left; those that are unread do not count, and stay if `unread_too` is not set. */
void span_table_trim(struct span_table *table, uint64_t nbytes, bool unread_too);

/* Frees what was begun ahead for this handle and is untouched; with far_only, only if it has no
 * part of the arena. */
void span_table_drop_ahead(struct span_table *table, uint64_t handle, bool far_only);

/* Frees all that has no part of the arena and that no thread is at. */
void span_table_drop_far(struct span_table *table);

/* Nobody is on the way any more to what was begun ahead for this handle. */
void span_table_give_up(struct span_table *table, uint64_t handle);

#endif
