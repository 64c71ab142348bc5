/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk_table_impl: what a chunk_table is a table of.
 */
#ifndef VCZFS_ZARR_CHUNK_CHUNK_TABLE_IMPL_H
#define VCZFS_ZARR_CHUNK_CHUNK_TABLE_IMPL_H

#include "encoderd/zarr/chunk/chunk_table.h"
#include "encoderd/zarr/codec/blosc1.h"

#include <pthread.h>
#include <sys/queue.h>

enum stored_step {
    STORED_NEW,
    STORED_MISSING, /* there is no such object; not that the array is still there */
    STORED_LOCATED, /* object, base and length are known */
    STORED_HEADED,  /* so is the Blosc frame's header */
    STORED_INDEXED, /* so is where its blocks, or a shard's chunks, are */
};

/* Which one it is. All of it counts, so zero-initialise; there is no padding, which would count,
 * too. */
struct stored_name {
    const struct store *store;
    uint8_t identity[32];          /* of the array, its name included */
    uint64_t place[ZARR_DIMS_MAX]; /* which one it is along each axis, of those of its level */
    uint32_t level; /* 0: a whole object; else what lies in a shard, or a shard in a shard */
    uint32_t zero;  /* in place of padding */
};

struct stored {
    /* Never changed. */
    struct stored_name name;
    struct chunk_table *table;
    char *label; /* owned; what it is called (chunk_label); NULL for a shard. Set under its own lock
                    by stored_get, before that returns it to anybody */

    /* The table's, under its lock. */
    LIST_ENTRY(stored) bucket;
    TAILQ_ENTRY(stored) age;
    unsigned refs;         /* the table's own included: what somebody holds stays in it */
    bool is_open;          /* has an object of its own */
    uint64_t index_nbytes; /* of memory for its index */

    /* Under the lock of the table's pieces. */
    LIST_HEAD(, piece) pieces; /* of it, that others may share */

    /* Under its own lock, until the step that is named there has been made. */
    pthread_mutex_t lock;
    enum stored_step step;
    /* LOCATED */
    struct stored *outer;  /* the shard that it lies in, a reference; NULL at level 0 */
    struct object *object; /* NULL if it is absent; owned at level 0, else the outermost shard's */
    uint64_t base, length; /* its bytes in the object */
    /* HEADED */
    struct blosc1_frame frame;
    /* INDEXED: of a chunk */
    uint32_t *begins, *ends; /* in memory that begins owns; frame.nblocks each */
    /* of a shard */
    uint64_t index_at; /* in the object */
    uint8_t *index;    /* owned; NULL where the index stays in the file */
};

/* A reference to the one of that name, which is made if need be. NULL and ERR_MEMORY. */
struct stored *table_get(struct chunk_table *table, const struct stored_name *name,
                         struct err *err);

struct stored *stored_hold(struct stored *stored); /* another reference */
/* Gives a reference back; NULL is ignored. */
void stored_put(struct stored *stored);

/* Its pieces (pieces.h). */
struct pieces *table_pieces(const struct chunk_table *table);

/* What chunks of an array were last seen to be: what is worth reading of the next one before it is
 * known. Zero if none was. */
struct stored_hint {
    uint8_t identity[32]; /* of the array */
    uint64_t length;      /* of a chunk, stored */
    uint64_t head;        /* of its header and index */
};
void table_hint_get(struct chunk_table *table, const uint8_t identity[32], struct stored_hint *out);
void table_hint_put(struct chunk_table *table, const struct stored_hint *hint);

/* What it costs to keep it. */
void table_note(struct stored *stored, bool is_open, uint64_t index_nbytes);

#endif
