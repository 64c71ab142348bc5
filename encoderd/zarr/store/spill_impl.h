/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spill_impl: entries of the temporary file and their areas.
 */
#ifndef VCZFS_ZARR_STORE_SPILL_IMPL_H
#define VCZFS_ZARR_STORE_SPILL_IMPL_H

#include "encoderd/zarr/store/spill.h"

#include <pthread.h>
#include <sys/queue.h>

enum spill_state { SPILL_FILLING, SPILL_READY, SPILL_FAILED };

/* Of an area that is open. */
struct spill_area {
    uint64_t begin, room; /* in the file; room 0: it is not open */
    uint64_t most;        /* what it is for, which may be more than there is room for */
    uint64_t used;        /* bytes from its begin on that are counted as written */
};

struct spill_entry {
    TAILQ_ENTRY(spill_entry) link; /* a failed entry is in no list */
    struct spill *spill;           /* whose it is */
    enum spill_state state;
    unsigned refs;
    bool starved; /* the fill did not get the room that it asked for */
    struct spill_area areas[SPILL_AREAS];
    struct err err; /* SPILL_FAILED: why */
    const void *owner;
    size_t key_size;
    uint8_t key[];
};

struct spill {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an entry was filled, failed or let go */
    pthread_rwlock_t fills; /* held by each fill; for writing, by one that is alone */
    TAILQ_HEAD(entries, spill_entry) entries; /* used last, first */
    int fd;
    char *dir; /* owned */
    uint64_t limit, used;
};

/* Counts bytes of an area up to `until` as written, once there is room for them. */
int spill_take_room(struct spill_entry *entry, unsigned number, uint64_t until, struct err *err);

/* The disk may have less than the limit: what is kept for later is the first to go. Is it worth
 * another try? */
bool spill_gave_way(struct spill *spill, int errnum);

#endif
