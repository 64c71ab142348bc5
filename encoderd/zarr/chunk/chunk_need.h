/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk_need: stored bytes that somebody needs, asked of the store before they are decoded.
 *
 * Bytes come in pieces: ranges of one object, each in a buffer of its own, on the way, there, or
 * failed. A piece is of one stored chunk or shard and shared by all who need it meanwhile; when the
 * last of them gives it back it is gone, or, if the store has not begun with it, taken back. A need
 * holds pieces; what can be had without waiting is there at once, and is that need's alone. Bytes
 * of pieces count against the table's budget. Thread-safe but for the need itself, which is one
 * thread's at a time.
 */
#ifndef VCZFS_ZARR_CHUNK_CHUNK_NEED_H
#define VCZFS_ZARR_CHUNK_CHUNK_NEED_H

#include <stdbool.h>
#include <stdint.h>

enum need {
    NEED_FAILED = -1,
    NEED_THERE, /* no waiting for the store any more */
    NEED_WAITS, /* it was asked for: see chunk_need_sleep */
    NEED_FULL, /* there is no room among the bytes of pieces: ask again when some were given back */
    NEED_SLOW, /* more than can be held: to be read by who may wait, while it is decoded */
};

/* What there is to say of two. */
static inline enum need need_worse(enum need a, enum need b)
{
    if (a == NEED_FAILED || b == NEED_FAILED)
        return NEED_FAILED;
    return a > b ? a : b;
}

/* One piece that one need holds. */
struct piece_hold;

/* Zero-initialise, then set what the asker sets; it stays in its place until it is cleared. */
struct chunk_need {
    /* Set by the asker. */
    void (*wake)(struct chunk_need *need); /* see chunk_need_sleep */
    uint64_t order;                        /* smaller is asked of the store first */
    bool onward;                           /* whoever asks goes on to the rest of each chunk */
    uint64_t begin, end; /* what is wanted of a chunk that is not open yet, in bytes of it decoded;
                            end is 0 where that is not known */
    bool demand;         /* never NEED_FULL, unless it has bytes on the way itself */
    bool may_wait; /* whoever asks waits for the store: never NEED_WAITS, and never NEED_FULL */

    /* The thread's that has the need. */
    struct piece_hold *holds; /* owned, the latest first */
    uint64_t nbytes;          /* in them */

    /* Under the lock of the pieces. */
    struct pieces *pieces; /* of the table that it has asked; NULL: it holds nothing */
    unsigned nwaiting;     /* pieces on the way */
    unsigned nwaking;      /* calls of wake that have not returned */
    bool asleep;
    struct chunk_need *next; /* to be woken */
};

/* After NEED_WAITS. True: there is still something on the way, and wake is called once when there
 * is not, on any thread, without locks. False: there is nothing; ask again. */
bool chunk_need_sleep(struct chunk_need *need);

/* Gives all back; nothing is on the way any more, and wake is not called afterwards. Waits for no
 * storage; only, if wake is being called just now, for that call. */
void chunk_need_clear(struct chunk_need *need);

#endif
