/*
 * encode_need: what a cell has to have from the store before it is run, asked for ahead.
 *
 * A cell that is run when encode_need has said NEED_THERE waits for no storage.
 */
#ifndef VCZFS_ENCODERD_ENCODE_NEED_H
#define VCZFS_ENCODERD_ENCODE_NEED_H

#include "encoderd/encode_grid.h"
#include "encoderd/encode_worker.h"

enum need {
    NEED_FAILED = -1,
    NEED_THERE, /* encode_cell takes no waiting now */
    NEED_WAITS, /* it was asked for: need->wake says when to call encode_need again */
    NEED_FULL, /* there is no room among the bytes in flight: call again when some were given back */
    NEED_SLOW, /* a chunk that cannot be held: encode_cell reads by itself, and may wait */
};

/*
 * What one cell holds of the store. Zero-initialise, then set what the asker sets; it stays in its place
 * until it is cleared.
 */
struct cell_need {
    /* Set by the asker. Called once for each NEED_WAITS, on any thread, without locks. */
    void (*wake)(struct cell_need *need);
    uint64_t order; /* smaller is asked of the store first: the age of who wants it */
    bool
        demand; /* somebody waits for the cell: never NEED_FULL, unless it has bytes in flight itself */
    /* Told with NEED_THERE: the most that the cell is going to decode. */
    uint64_t nblocks; /* UINT64_MAX: of a chunk that has to be decoded whole */
    uint64_t nbytes;  /* of the largest of them, decoded */
};

/*
 * Works out what the cell will read, and asks the store for what is not there. Never waits. out of the
 * target may be NULL. Of the worker only its own thread may be using anything meanwhile. err is set with
 * NEED_FAILED, as encode_cell would have set it.
 */
enum need encode_need(const struct format_view *format, const struct encode_target *target,
                      const struct encode_cell *cell, struct encode_worker *worker,
                      struct cell_need *need, struct err *err);

/* Gives all back, and withdraws what the store has not begun. Waits for no storage, only, if `wake` is being
 * called just now, for that call: so no lock that `wake` takes may be held. It is not called afterwards. */
void cell_need_clear(struct cell_need *need);

#endif
