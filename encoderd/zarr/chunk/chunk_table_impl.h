/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk_table_impl: the entries of a chunk_table.
 */
#ifndef VCZFS_ZARR_CHUNK_CHUNK_TABLE_IMPL_H
#define VCZFS_ZARR_CHUNK_CHUNK_TABLE_IMPL_H

#include "encoderd/zarr/chunk/chunk_table.h"
#include "encoderd/zarr/codec/blosc1.h"

#include <pthread.h>
#include <sys/queue.h>

enum stored_step {
    STORED_NEW,
    STORED_MISSING, /* there is no such object; perhaps the whole array is gone */
    STORED_LOCATED, /* object, base and length are known */
    STORED_HEADED,  /* the Blosc frame's header is known, too */
    STORED_INDEXED, /* and where its blocks are, or a shard's chunks */
};

/* Identifies a chunk or shard. All bytes are compared, so zero-initialise; there is no padding. */
struct stored_name {
    const struct store *store;
    uint8_t identity[32];          /* of the array, with its name */
    uint64_t place[ZARR_DIMS_MAX]; /* its number along each axis, at its level */
    uint32_t level;                /* 0: a whole object; else a chunk or shard inside a shard */
    uint32_t zero;                 /* in place of padding */
};

struct stored {
    /* Never changed. */
    struct stored_name name;
    struct chunk_table *table;
    char *label; /* owned; its name (chunk_label); NULL for a shard. stored_get sets it under the
                    lock below, before it returns it to any thread */

    /* For the table, under its lock. */
    LIST_ENTRY(stored) bucket;
    TAILQ_ENTRY(stored) age;
    unsigned refs;         /* with the table's own; a held one stays in the table */
    bool is_open;          /* has an object of its own */
    uint64_t index_nbytes; /* of memory for its index */

    /* Under the lock of the table's pieces. */
    LIST_HEAD(, piece) pieces; /* of it, that several needs may share */

    /* Under its own lock, until the step named there has been made. */
    pthread_mutex_t lock;
    enum stored_step step;
    /* LOCATED */
    struct stored *outer;  /* the shard around it, a reference; NULL at level 0 */
    struct object *object; /* NULL: absent; owned at level 0, else the outermost shard's */
    uint64_t base, length; /* its bytes in the object */
    /* HEADED */
    struct blosc1_frame frame;
    /* INDEXED: of a chunk */
    uint32_t *begins, *ends; /* frame.nblocks each, in memory that `begins` owns */
    /* of a shard */
    uint64_t index_at; /* in the object */
    uint8_t *index;    /* owned; NULL if the index stays in the file */
};

/* A reference to the entry of that name, which is made if it is missing. NULL and ERR_MEMORY. */
struct stored *table_get(struct chunk_table *table, const struct stored_name *name,
                         struct err *err);

struct stored *stored_hold(struct stored *stored); /* another reference */
/* Gives a reference back; NULL is ignored. */
void stored_put(struct stored *stored);

/* Its pieces (pieces.h). */
struct pieces *table_pieces(const struct chunk_table *table);

/* What was last seen of an array's chunks, as a hint at what to read of the next one. All zero if
 * none was seen. */
struct stored_hint {
    uint8_t identity[32]; /* of the array */
    uint64_t length;      /* of a chunk, stored */
    uint64_t head;        /* of its header and index */
};
void table_hint_get(struct chunk_table *table, const uint8_t identity[32], struct stored_hint *out);
void table_hint_put(struct chunk_table *table, const struct stored_hint *hint);

/* Records what it costs to keep the entry. */
void table_note(struct stored *stored, bool is_open, uint64_t index_nbytes);

#endif
