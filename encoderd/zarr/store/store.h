/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: a read-only tree of named byte objects: where a Zarr hierarchy lives.
 *
 * A key is a path relative to the store's root, '/'-separated, without "." or "..". A store is
 * immutable as far as vczfs is concerned and safe to use from several threads. Kinds of store
 * (directory, zip archive; later HTTP, S3, Icechunk) stand behind kind.h.
 *
 * Bytes are asked for as ranges, many at a time; whoever may wait has simpler calls further below.
 */
#ifndef VCZFS_ZARR_STORE_STORE_H
#define VCZFS_ZARR_STORE_STORE_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

struct store;
struct object;

/* Opens the store at `path`. ERR_NOT_FOUND if there is nothing, ERR_UNSUPPORTED for a kind of store
 * that vczfs does not read. The caller owns *out. */
int store_open(const char *path, struct store **out, struct err *err);

/* The same, with flags. Links that lead out of a directory store are refused otherwise. What they
 * lead to must be a regular file all the same. */
#define STORE_FOLLOW_LINKS 1u
int store_open_with(const char *path, unsigned flags, struct store **out, struct err *err);
void store_free(struct store *store);

/* How many bytes the store may keep of what it had to decompress (deflated members of a zip
 * archive); 32 MiB until this is called. No object may be open. A longer member is streamed:
 * reading it in any other order than its own is slow. */
int store_set_budget(struct store *store, size_t nbytes, struct err *err);

/* Where chunks of the store that fit no memory are decoded (spill.h); NULL, as it is until this is
 * called: they are errors. Borrowed. Before any chunk is read, or when none is held. */
struct spill;
void store_set_spill(struct store *store, struct spill *spill);
struct spill *store_spill(const struct store *store);

/* Which chunks of it are held back (held.h); NULL, as it is until this is called: none.
 * Borrowed. */
struct held;
void store_set_held(struct store *store, struct held *held);
struct held *store_held(const struct store *store);

/* Gives that memory back. */
void store_trim(const struct store *store);

/* As given to store_open; for messages. */
const char *store_path(const struct store *store);

/* ---- Ranges ---- */

enum range_state {
    RANGE_ASKED,  /* not answered yet */
    RANGE_THERE,  /* nread bytes are at `to` */
    RANGE_ABSENT, /* there is no such object */
    RANGE_FAILED, /* err says why */
};

/*
 * Bytes of one object, asked of a store. The asker's; it stays in its place until it is answered.
 * An object that changed after the store was opened is never THERE or ABSENT, but FAILED with
 * ERR_CHANGED: the call that reads looks. A link or a pipe where an object is due is FAILED, too,
 * and never waited for.
 */
struct store_range {
    const char *key;   /* borrowed */
    const char *label; /* borrowed; what it is of, should the process die of it (common/evidence.h).
                          NULL: its key */
    struct object
        *object; /* in: NULL, or that of an earlier range of this key, borrowed. Out: where it was
                  * NULL and the object was opened, the asker's own reference to it */
    uint64_t offset, length; /* length 0: the object is only opened. Cut by the object's end */
    bool from_end;           /* its last `length` bytes; the answer sets offset */
    uint8_t *to;             /* room for `length` bytes; NULL where that is 0 */
    uint64_t order;          /* smaller ones first: the age of what wants them */
    /* What else of an object that is not open yet is likely to be asked for soon: a kind that can
     * begin with it unasked may. */
    uint64_t likely_offset, likely_length;
    void (*done)(struct store_range *range, void *arg); /* store_submit says when */
    void *arg;

    /* The answer. */
    enum range_state state;
    bool waited;          /* it was not in memory, or its file system cannot tell */
    uint64_t nread, size; /* bytes that are there; the object's size */
    struct err err;       /* of RANGE_FAILED, which names the file; else not touched */

    /* The store's own, from store_submit until the answer. */
    struct store_range *next, *previous;
    uint64_t id, begun;
    unsigned parts;
    bool in_line, opening;
};

/* A range as it is to be before it is asked, but for order, what is likely, done and arg; err,
 * which is long, is left alone. */
void store_range_init(struct store_range *range, const char *key, struct object *object,
                      uint64_t offset, uint64_t length, uint8_t *to);

/* Answers, THERE or ABSENT, if that takes no waiting for a disk or a server. False: it would, or it
 * cannot be told, or there is an error; ask in another way. range->object may be opened by then. */
bool store_get_now(const struct store *store, struct store_range *range);

/* Answers; this thread waits. done is not called. */
void store_get(const struct store *store, struct store_range *range);

/* Has it answered: range->done is called once, on another thread that holds no lock, and may submit
 * more. Takes no waiting, unless the system gives this process no further thread at all: then done
 * is called before this returns. So the caller holds no lock that done takes. */
void store_submit(const struct store *store, struct store_range *range);

/* Takes back what was submitted. True: it was not begun, and done will not be called. False: it has
 * been or will be. */
bool store_withdraw(const struct store *store, struct store_range *range);

/* So many submitted ranges keep the store busy; more wait in line, which is no mistake. */
unsigned store_in_flight_max(const struct store *store);

/* Since the store was opened. Exact only while nobody reads. */
struct store_counts {
    uint64_t requests;                  /* ranges that were answered */
    uint64_t bytes;                     /* in them */
    uint64_t opened;                    /* objects */
    uint64_t waits;                     /* ranges that were answered after waiting */
    unsigned in_flight, in_flight_most; /* being read for store_submit: now, and at most */
};
void store_counts(const struct store *store, struct store_counts *out);

/* ---- Objects, for who may wait ---- */

/* Opens one object. An object that does not exist is not an error: *out is NULL. Anything that is
 * not a regular file inside the store (directory, FIFO, device, link that leads out) is
 * ERR_CORRUPT; it is never opened in a way that could block. The caller has one reference. */
int store_object(const struct store *store, const char *key, struct object **out, struct err *err);
struct object *object_hold(struct object *object); /* another reference */
void object_close(struct object *object);          /* gives one back; NULL is none */
uint64_t object_size(const struct object *object);

/* Exactly n bytes from offset, or an error that names the file (ERR_CORRUPT if the object ends
 * before). Thread-safe. */
int object_read(const struct object *object, uint64_t offset, void *to, size_t n, struct err *err);

/* Is there anything under this name? Nothing is read, nor is it said whether that could be. */
int store_has(const struct store *store, const char *key, bool *has, struct err *err);

/* Is that known without asking a file system? */
bool store_lists_names(const struct store *store);

/* A whole small object, appended to out; *found says whether it exists. More than `max` bytes is
 * ERR_CORRUPT. */
int store_read_all(const struct store *store, const char *key, size_t max, struct buf *out,
                   bool *found, struct err *err);

/* Names of the direct children of `key` ("" is the root) that are themselves trees; in byte order.
 * visit returns non-zero to stop, which is passed on. */
int store_children(const struct store *store, const char *key,
                   int (*visit)(const char *name, void *arg), void *arg, struct err *err);

/* The same for all direct children, objects and trees, in no order: it costs what is stored,
 * whatever metadata claim. */
int store_names(const struct store *store, const char *key,
                int (*visit)(const char *name, void *arg), void *arg, struct err *err);

/* Objects under `key`, and their bytes: what is stored, for `vczfs info`. Metadata files count. */
int store_usage(const struct store *store, const char *key, uint64_t *nobjects, uint64_t *nbytes,
                struct err *err);

/* Feeds `add` what identifies the present state of the object or tree at `key` without reading it
 * (times of change, an object's size): for the view's fingerprint. What is in a tree is not looked
 * at. An absent key feeds nothing. */
int store_identity(const struct store *store, const char *key,
                   void (*add)(const void *data, size_t n, void *arg), void *arg, struct err *err);

/* When the store was last modified, as far as its metadata tells: the newest of the metadata
 * objects of its root and of the trees directly in it, or the archive's own; chunks are not looked
 * at. Nanoseconds since the epoch, and 0 for what is not after it. */
int64_t store_mtime(const struct store *store);

/*
 * Change (watch.c says how, and what it cannot see). From store_watch_from on, reading an object,
 * or finding that it is absent, is ERR_CHANGED where that may have changed after `since`; times are
 * nanoseconds of the real-time clock. `since` is what store_opened said when the view was first
 * opened, in this process or another: the beginning of store_open, or the latest change seen until
 * now, if that is later, *ahead by so much: then the store is being written, or its file system's
 * clock is ahead. No other thread may use the store meanwhile. store_settle waits, some
 * milliseconds at most where times are kept in fractions of a second, until no later change can be
 * stamped with the time of the opening.
 */
int64_t store_opened(const struct store *store, int64_t *ahead);
void store_watch_from(struct store *store, int64_t since);
void store_settle(const struct store *store);

#endif
