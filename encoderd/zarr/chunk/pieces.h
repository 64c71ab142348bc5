/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pieces: the memory of pieces (stored bytes that are on the way or there), and its limit.
 *
 * Each chunk_table has one. Buffers are used again, so that their pages need not be faulted in for
 * each piece. One lock protects the buffers, and the pieces and needs that chunk_need.c makes of
 * them.
 */
#ifndef VCZFS_ZARR_CHUNK_PIECES_H
#define VCZFS_ZARR_CHUNK_PIECES_H

#include "common/pool.h"
#include "encoderd/zarr/meta/array.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* How many bytes before a piece's first byte a decoder may overwrite. */
#define PIECE_LEAD    ((size_t)64)
#define PIECES_BUDGET ((uint64_t)64 << 20)

/* The `room` bytes follow it; they begin PIECE_LEAD bytes after its end. */
struct piece_buffer {
    struct piece_buffer *next;
    uint64_t room;
};
static inline uint8_t *piece_buffer_at(struct piece_buffer *buffer)
{
    return (uint8_t *)buffer + 2 * PIECE_LEAD;
}

/* What a piece is of does not change once other threads can see it. Its holders and flags are under
 * the lock of the pieces. */
struct piece {
    LIST_ENTRY(piece) link; /* in the list of `stored`, while it is listed */
    struct piece *next;     /* of those that go */
    struct stored *stored;  /* a reference */
    unsigned refs;          /* holds of it */
    bool listed;
    struct piece_hold *waiting;
    struct piece_buffer *buffer;     /* owned; NULL for no bytes */
    struct object *opened;           /* by it; owned */
    uint64_t offset, length;         /* asked for, */
    bool from_end;                   /* in this way */
    uint64_t at;                     /* offset of its first byte, once it is answered */
    _Atomic(enum range_state) state; /* RANGE_ASKED until it is answered */
    struct store_range range;        /* the store's until then */
    char key[ZARR_KEY_MAX];          /* "": the object was open */
};

struct piece_hold {
    struct piece_hold *next; /* of the need */
    struct piece *piece;
    struct chunk_need *need;
    struct piece_hold *next_waiting; /* the piece's list, while `waits` is set */
    bool waits;
};

struct pieces {
    pthread_mutex_t lock;    /* covers everything below */
    pthread_cond_t answered; /* a piece was answered, or a call of wake returned */
    struct pool pool, holds; /* of struct piece, struct piece_hold */
    uint64_t budget, used;   /* bytes of buffers in use */
    struct piece_buffer *spare;
    uint64_t spare_nbytes;
    unsigned nsubmitted; /* pieces that the store has not answered yet */
};

/* NULL if out of memory. */
struct pieces *pieces_new(void);

/* Nothing may be held or on the way. NULL is ignored. */
void pieces_free(struct pieces *pieces);

/* Waits until the store has answered all submitted pieces. */
void pieces_wait(struct pieces *pieces);

/* Gives memory that is not in use back to the system. */
void pieces_trim(struct pieces *pieces);

/* Both under the lock. NULL if out of memory. */
struct piece_buffer *pieces_take(struct pieces *pieces, uint64_t nbytes);
void pieces_give(struct pieces *pieces, struct piece_buffer *buffer);

#endif
