/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leases: which parts of which files lie in the arena right now, and which can go back.
 *
 * A pure table: no I/O, no clock (times are passed in, in milliseconds of any steady clock). A
 * lease that is dropped becomes a return, which the caller takes with leases_take_returns and
 * sends; until then its id counts as held. Leases may overlap. What is held is bounded in bytes and
 * in number; the least recently used goes first.
 */
#ifndef VCZFS_FUSED_FILES_LEASES_H
#define VCZFS_FUSED_FILES_LEASES_H

#include "proto/proto.h"

#define LEASES_MAX 256

struct lease {
    uint64_t id;
    uint64_t file;   /* index */
    uint64_t offset; /* first byte, in the file */
    uint64_t length; /* bytes */
    uint64_t at;     /* first byte, in the arena */
    uint64_t served; /* bytes answered from it so far */
    uint64_t used;   /* when last, ms */
};

struct leases {
    struct lease held[LEASES_MAX]; /* in no order */
    size_t nheld;
    uint64_t bytes;     /* sum of held lengths */
    uint64_t bytes_max; /* bound on it; one lease that is larger alone may still be held */
    uint64_t *returns;  /* ids to give back; owned */
    size_t nreturns, returns_cap;
    uint64_t return_bytes; /* sum of the lengths of what is to be given back */
};

void leases_init(struct leases *leases, uint64_t bytes_max);
void leases_free(struct leases *leases);

/* Forgets everything, returns too: the encoder that gave them is gone. */
void leases_clear(struct leases *leases);

/* Does the span answer a question for byte `asked` of a file of file_size bytes, inside an arena of
 * arena_size bytes? ERR_PEER if not. */
int leases_check_span(const struct msg_span *span, uint64_t asked, uint64_t file_size,
                      uint64_t arena_size, struct err *err);

/* Takes the span in, dropping others if the bounds are passed. ERR_PEER if its id is held already,
 * ERR_MEMORY; then nothing is taken in. */
int leases_add(struct leases *leases, const struct msg_span *span, uint64_t file, uint64_t now,
               struct err *err);

/* A lease that covers this byte, the one reaching furthest; NULL if none does. Valid until the next
 * call that changes the table. */
struct lease *leases_find(struct leases *leases, uint64_t file, uint64_t offset);

/* The held lease of that id, or NULL. */
struct lease *leases_by_id(struct leases *leases, uint64_t id);

/* nbytes of it went to a reader: drops it when as many as it covers have. */
void leases_served(struct leases *leases, struct lease *lease, uint64_t nbytes, uint64_t now);

/* Drops: one by id (if held); those unused since `before`; those of a file. */
void leases_drop(struct leases *leases, uint64_t id);
void leases_drop_idle(struct leases *leases, uint64_t before);
void leases_drop_file(struct leases *leases, uint64_t file);

/* Moves up to max ids of dropped leases to ids; returns how many. */
size_t leases_take_returns(struct leases *leases, uint64_t *ids, size_t max);

#endif
