/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk_need: stored bytes that are asked of the store before they are decoded.
 *
 * Bytes come in pieces. A piece is a range of one object in a buffer of its own; it is on the way,
 * there, or failed. It belongs to one stored chunk or shard and is shared by all needs that want
 * it. When the last of them gives it back, it is freed, or taken back if the store has not begun
 * with it. A need holds pieces. A piece that can be read without waiting is there at once, and only
 * this need has it. The bytes of all pieces count against the table's budget. Thread-safe, except
 * for the need itself, which only one thread at a time may use.
 */
#ifndef VCZFS_ZARR_CHUNK_CHUNK_NEED_H
#define VCZFS_ZARR_CHUNK_CHUNK_NEED_H

#include <stdbool.h>
#include <stdint.h>

enum need {
    NEED_FAILED = -1,
    NEED_THERE, /* no waiting for the store is needed any more */
    NEED_WAITS, /* asked for: see chunk_need_sleep */
    NEED_FULL,  /* no room for more pieces: ask again when some were given back */
    NEED_SLOW,  /* more than can be held: a thread that may wait must read it while it decodes */
};

/* The result of two needs together. */
static inline enum need need_worse(enum need a, enum need b)
{
    if (a == NEED_FAILED || b == NEED_FAILED)
        return NEED_FAILED;
    return a > b ? a : b;
}

/* One piece that one need holds. */
struct piece_hold;

/* Zero-initialise, then set the members that the caller sets. It must stay in its place until it is
 * cleared. */
struct chunk_need {
    /* Set by the asker. */
    void (*wake)(struct chunk_need *need); /* see chunk_need_sleep */
    uint64_t order;                        /* smaller is asked of the store first */
    bool onward;                           /* the caller goes on to the rest of each chunk */
    uint64_t begin, end; /* decoded bytes wanted of a chunk not open yet; end 0: not known */
    bool demand;         /* never NEED_FULL, unless it has bytes on the way itself */
    bool may_wait;       /* the caller waits for the store: never NEED_WAITS or NEED_FULL */

    /* Only for the thread that has the need. */
    struct piece_hold *holds; /* owned, the latest first */
    uint64_t nbytes;          /* in them */

    /* Under the lock of the pieces. */
    struct pieces *pieces; /* of the table that it asked; NULL: it holds nothing */
    unsigned nwaiting;     /* pieces on the way */
    unsigned nwaking;      /* calls of wake that have not returned */
    bool asleep;
    struct chunk_need *next; /* to be woken */
};

/* Call it after NEED_WAITS. True if something is still on the way; when nothing is any more, wake
 * is called once, on any thread, without locks. False if nothing is on the way; ask again. */
bool chunk_need_sleep(struct chunk_need *need);

/* Gives all pieces back. Afterwards nothing is on the way and wake is not called. It does not wait
 * for storage, but it waits for a call of wake that is running. */
void chunk_need_clear(struct chunk_need *need);

#endif
