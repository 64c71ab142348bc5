/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spill_impl: the entries of the temporary file and their areas.
 */
#ifndef VCZFS_ZARR_STORE_SPILL_IMPL_H
#define VCZFS_ZARR_STORE_SPILL_IMPL_H

#include "encoderd/zarr/store/spill.h"

#include <pthread.h>
#include <sys/queue.h>

enum spill_state { SPILL_FILLING, SPILL_READY, SPILL_FAILED };

/* Of an area that is open. */
struct spill_area {
    uint64_t begin, room; /* in the file; room 0: the area is not open */
    uint64_t most;        /* bytes it is for; there may be less room */
    uint64_t used;        /* bytes from `begin` on that count as written */
};

struct spill_entry {
    TAILQ_ENTRY(spill_entry) link; /* a failed entry is in no list */
    struct spill *spill;           /* whose it is */
    enum spill_state state;
    unsigned refs;
    bool starved; /* the fill failed for lack of room */
    struct spill_area areas[SPILL_AREAS];
    struct err err; /* SPILL_FAILED: why */
    const void *owner;
    size_t key_size;
    uint8_t key[];
};

struct spill {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an entry was filled, has failed, or was put back */
    pthread_rwlock_t fills; /* read-locked by each fill; write-locked by a fill that is alone */
    TAILQ_HEAD(entries, spill_entry) entries; /* used last, first */
    int fd;
    char *dir; /* owned */
    uint64_t limit, used;
};

/* Makes room for the bytes of an area up to `until`, and counts them as written. */
int spill_take_room(struct spill_entry *entry, unsigned number, uint64_t until, struct err *err);

/* After a failed write: removes the entries that nobody uses, because the disk may have less space
 * than the limit. True if the write is worth another try. */
bool spill_gave_way(struct spill *spill, int errnum);

#endif
