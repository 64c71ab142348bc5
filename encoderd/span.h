/*
 * span: ranges of stream files in the arena, and where each stands.
 *
 * Private to the scheduler; every call is made under its lock.
 */
#ifndef VCZFS_ENCODERD_SPAN_H
#define VCZFS_ENCODERD_SPAN_H

#include "common/pool.h"
#include "encoderd/arena.h"
#include "encoderd/encode.h"
#include "encoderd/sched.h"

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

enum span_place {
    SPAN_DEMAND,  /* cells left to hand out, and somebody waits */
    SPAN_AHEAD,   /* cells left to hand out, nobody waits yet */
    SPAN_RUNNING, /* all cells handed out, some not finished */
    SPAN_DONE,    /* finished; the server has not looked yet */
    SPAN_RESTING, /* ready; leased, or kept because somebody may ask again */
    SPAN_NPLACES,
};

/* Memory that a span keeps when it is recycled. */
struct span_memory {
    uint64_t *words; /* owned */
    uint64_t cap;
};

struct span {
    struct span_memory memory; /* first: see pool_init */
    /* Where each of the first nfirst cells (the grid's first row of genotype chunks) begins: moved on
     * by donations. In memory, as are the target's notes behind it. */
    uint64_t *first_element;
    uint64_t nfirst;        /* 0 when there are too many to be worth it */
    TAILQ_ENTRY(span) link; /* in the list of its place */
    enum span_place place;
    size_t file;
    const struct format_view *format;
    struct encode_target target; /* its bytes of the file, and of the arena */
    uint64_t at;
    struct encode_grid grid;
    uint64_t ncells, next_cell;
    uint64_t again;      /* bits of cells that were handed out and have to be once more */
    uint64_t pending;    /* cells and donations not finished */
    uint64_t for_handle; /* who it was begun ahead for */
    uint64_t nleases;
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
    uint64_t nspans;
    uint64_t nbytes_ahead; /* of spans that nobody has asked for yet */
    struct pool pool;      /* spans */
    struct pool waiters;   /* of everybody who makes some */
};

#define SPANS_MAX 2048

void span_table_init(struct span_table *table, struct arena *arena);
void span_table_clear(struct span_table *table); /* for good */

/* A new span in SPAN_DEMAND, or SPAN_AHEAD; not yet visible to workers until the lock is dropped. Drops
 * resting spans that nobody holds, the least recently used first, and then, for demand, those that are
 * unread and work ahead that has not begun, until there is room. NULL if there is none. Also does encode_begin. */
struct span *span_new(struct span_table *table, const struct format_view *format, size_t file,
                      uint64_t begin, uint64_t end, bool ahead);

/* Frees the span and its part of the arena. It must have no waiter, no lease and no running cell. */
void span_free(struct span_table *table, struct span *span);

/* Are there cells to hand out? */
static inline bool span_has_cells(const struct span *span)
{
    return span->next_cell < span->ncells || span->again != 0;
}

/* To the end of another place's list. */
void span_move(struct span_table *table, struct span *span, enum span_place place);

/* The span that holds byte `offset`, reaching furthest; NULL if none. */
struct span *span_covering(const struct span_table *table, size_t file, uint64_t offset);

/* The least begin of a span in (after, before), or `before`. */
uint64_t span_next_begin(const struct span_table *table, size_t file, uint64_t after,
                         uint64_t before);

/* A span that begins at `begin` and whose cells are not all handed out; NULL if none. */
struct span *span_queued_at(const struct span_table *table, size_t file, uint64_t begin);

/* Drops resting spans that nobody holds, the least recently used first, until at most `nbytes` of them
 * are left; those that are unread do not count, and stay if `unread_too` is not set. */
void span_table_trim(struct span_table *table, uint64_t nbytes, bool unread_too);

/* Nobody is on the way any more to what was begun ahead for this handle. */
void span_table_give_up(struct span_table *table, uint64_t handle);

#endif
