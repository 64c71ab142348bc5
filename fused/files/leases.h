/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leases: the table of leases: which parts of which files are in the arena now, and which can be
 * returned.
 *
 * No I/O and no clock: times are arguments, in milliseconds of any steady clock. A lease that is
 * dropped becomes a return, which the caller takes with leases_take_returns and sends; until then
 * its id counts as held. Leases may overlap. The table limits the bytes and the number of leases;
 * beyond that it drops the least recently used ones.
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
    uint64_t served; /* bytes that readers got from it so far */
    uint64_t used;   /* when last, ms */
};

struct leases {
    struct lease held[LEASES_MAX]; /* in no order */
    size_t nheld;
    uint64_t bytes;     /* sum of held lengths */
    uint64_t bytes_max; /* limit of bytes; a single larger lease is allowed */
    uint64_t *returns;  /* ids to give back; owned */
    size_t nreturns, returns_cap;
    uint64_t return_bytes; /* bytes of all dropped leases */
};

void leases_init(struct leases *leases, uint64_t bytes_max);
void leases_free(struct leases *leases);

/* Forgets all leases and returns, because the encoder that gave them is gone. */
void leases_clear(struct leases *leases);

/* Can the span answer a request for byte `asked` of a file of file_size bytes, in an arena of
 * arena_size bytes? ERR_PEER if not. */
int leases_check_span(const struct msg_span *span, uint64_t asked, uint64_t file_size,
                      uint64_t arena_size, struct err *err);

/* Adds the span as a lease, and drops others if a limit is passed. On failure nothing changes:
 * ERR_PEER if its id is held already, or ERR_MEMORY. */
int leases_add(struct leases *leases, const struct msg_span *span, uint64_t file, uint64_t now,
               struct err *err);

/* The lease with this byte that reaches furthest; NULL if none has it. Valid until the table
 * changes. */
struct lease *leases_find(struct leases *leases, uint64_t file, uint64_t offset);

/* The held lease of that id, or NULL. */
struct lease *leases_by_id(struct leases *leases, uint64_t id);

/* A reader got nbytes of the lease. Drops it when readers got as many bytes as it has. */
void leases_served(struct leases *leases, struct lease *lease, uint64_t nbytes, uint64_t now);

/* Drop leases: the one of this id (if held); those not used since `before`; those of a file. */
void leases_drop(struct leases *leases, uint64_t id);
void leases_drop_idle(struct leases *leases, uint64_t before);
void leases_drop_file(struct leases *leases, uint64_t file);

/* Takes up to max ids of dropped leases into ids; returns how many. */
size_t leases_take_returns(struct leases *leases, uint64_t *ids, size_t max);

#endif
