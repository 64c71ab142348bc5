/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: a read-only tree of named byte objects: where a Zarr hierarchy lives.
 *
 * A key is a path relative to the store's root, '/'-separated, without "." or "..". vczfs treats a
 * store as immutable. A store is safe to use from several threads. Kinds of store (directory, zip
 * archive; later HTTP, S3, Icechunk) stand behind kind.h.
 *
 * Bytes are asked for as ranges, many at a time. Threads that may wait can use the simpler calls
 * further below.
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

/* The same, with flags. Without the flag, links that lead out of a directory store are refused.
 * With it, they must still lead to a regular file. */
#define STORE_FOLLOW_LINKS 1u
int store_open_with(const char *path, unsigned flags, struct store **out, struct err *err);
void store_free(struct store *store);

/* Limits the memory for what the store had to decompress (deflated members of a zip archive); 32
 * MiB until this is called. No object may be open. A member that is longer than this is streamed,
 * which is slow unless it is read in order. */
int store_set_budget(struct store *store, size_t nbytes, struct err *err);

/* The temporary file for chunks that fit no memory (spill.h), borrowed. NULL, the default: such
 * chunks are errors. Call it before any chunk is read, or when no decoder holds one. */
struct spill;
void store_set_spill(struct store *store, struct spill *spill);
struct spill *store_spill(const struct store *store);

/* The chunks that are held back (held.h), borrowed. NULL, the default: none. */
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
 * A request for bytes of one object. It belongs to the caller and must stay in its place until it
 * is answered. If the object changed after the store was opened, the answer is never THERE or
 * ABSENT, but FAILED with ERR_CHANGED, because the call that reads checks that. A link or a pipe in
 * place of an object is FAILED, too, and never waited for.
 */
struct store_range {
    const char *key;   /* borrowed */
    const char *label; /* borrowed; its name in the evidence (common/evidence.h); NULL: the key */
    struct object
        *object; /* in: NULL, or the object of an earlier range of this key, borrowed. Out: if it
                    was NULL and the object was opened, a reference for the caller */
    uint64_t offset, length; /* length 0: only opens the object; cut at the object's end */
    bool from_end;           /* the object's last `length` bytes; the answer sets offset */
    uint8_t *to;             /* room for `length` bytes; NULL if that is 0 */
    uint64_t order;          /* smaller ones first: the age of the request behind it */
    /* If the object is not open yet: other bytes that will probably be asked for soon. A kind of
     * store may begin to read them. */
    uint64_t likely_offset, likely_length;
    void (*done)(struct store_range *range, void *arg); /* store_submit says when */
    void *arg;

    /* The answer. */
    enum range_state state;
    bool waited;          /* the bytes were not in memory, or the file system cannot tell */
    uint64_t nread, size; /* bytes read; the object's size */
    struct err err;       /* for RANGE_FAILED, naming the file; else not set */

    /* For the store, from store_submit until the answer. */
    struct store_range *next, *previous;
    uint64_t id, begun;
    unsigned parts;
    bool in_line, opening;
};

/* Initialises a range, except for order, the likely bytes, done and arg. err is large and is not
 * cleared. */
void store_range_init(struct store_range *range, const char *key, struct object *object,
                      uint64_t offset, uint64_t length, uint8_t *to);

/* Answers (THERE or ABSENT) if no disk and no server has to be waited for. False if it would
 * have to wait, cannot tell, or failed; then ask in another way. range->object may be open in
 * any case. */
bool store_get_now(const struct store *store, struct store_range *range);

/* Answers; this thread may wait. `done` is not called. */
void store_get(const struct store *store, struct store_range *range);

/* Asks for the range and returns without waiting. range->done is called once, on another thread
 * that holds no lock, and may submit further ranges. If the system gives this process no thread at
 * all, done is called before this function returns; so the caller must not hold a lock that done
 * takes. */
void store_submit(const struct store *store, struct store_range *range);

/* Takes back a submitted range. True if it was not begun; done will not be called. False if done
 * was or will be called. */
bool store_withdraw(const struct store *store, struct store_range *range);

/* Counts since the store was opened; exact only while nobody reads. */
struct store_counts {
    uint64_t requests;       /* ranges that were answered */
    uint64_t bytes;          /* in them */
    uint64_t opened;         /* objects */
    uint64_t waits;          /* ranges that were answered after waiting */
    unsigned most_in_flight; /* the most that were read at the same time for store_submit */
};
void store_counts(const struct store *store, struct store_counts *out);

/* ---- What waits ---- */

/* Is the store in memory, or on a disk of this machine, for certain? */
bool store_is_here(const struct store *store);

/* Is the store on another machine, as far as its file system tells, or did somebody who looked have
 * to wait for it? */
bool store_is_far(const struct store *store);

void store_set_far(const struct store *store);

/* Calls one(arg, 0), ..., one(arg, n - 1), each of which asks the store: side by side if it is far,
 * and from the first one on that has to wait; else in order on this thread (common/abreast.h). */
int store_each(const struct store *store, uint64_t n,
               int (*one)(void *arg, uint64_t i, struct err *err), void *arg, struct err *err);

/* ---- Objects, for threads that may wait ---- */

/* Opens one object. An object that does not exist is not an error: *out is NULL. Anything that is
 * not a regular file inside the store (directory, FIFO, device, link that leads out) is
 * ERR_CORRUPT; it is never opened in a way that could block. The caller has one reference. */
int store_object(const struct store *store, const char *key, struct object **out, struct err *err);
struct object *object_hold(struct object *object); /* another reference */
void object_close(struct object *object);          /* gives one back; NULL is none */
uint64_t object_size(const struct object *object);

/* Reads exactly n bytes from offset, or sets an error that names the file (ERR_CORRUPT if the
 * object ends before). Thread-safe. */
int object_read(const struct object *object, uint64_t offset, void *to, size_t n, struct err *err);

/* Does anything have this name? Reads nothing, so it may not be readable. */
int store_has(const struct store *store, const char *key, bool *has, struct err *err);

/* Is that known without asking a file system? */
bool store_lists_names(const struct store *store);

/* Reads a whole small object and appends it to out; *found says whether it exists. More than `max`
 * bytes are ERR_CORRUPT. */
int store_read_all(const struct store *store, const char *key, size_t max, struct buf *out,
                   bool *found, struct err *err);

/* Calls visit for the direct children of `key` ("" is the root) that are trees themselves, in byte
 * order of their names. visit returns non-zero to stop; this function then returns that value. */
int store_children(const struct store *store, const char *key,
                   int (*visit)(const char *name, void *arg), void *arg, struct err *err);

/* The same for all direct children, objects and trees, in no order. Its cost depends on what is
 * stored, not on what metadata claim. */
int store_names(const struct store *store, const char *key,
                int (*visit)(const char *name, void *arg), void *arg, struct err *err);

/* Counts the objects under `key` and their stored bytes, with metadata, for `vczfs info`. */
int store_usage(const struct store *store, const char *key, uint64_t *nobjects, uint64_t *nbytes,
                struct err *err);

/* Passes to `add` what identifies the present state of the object or tree at `key` (times of
 * change, an object's size), without reading it: for the view's fingerprint. It does not look into
 * a tree. An absent key adds nothing. */
int store_identity(const struct store *store, const char *key,
                   void (*add)(const void *data, size_t n, void *arg), void *arg, struct err *err);

/* The same of the object that was opened at `key`, as far as there is one: of what is open,
 * whatever is there by now. */
int object_identity(const struct object *object, const char *key,
                    void (*add)(const void *data, size_t n, void *arg), void *arg, struct err *err);

/* When the store was last modified, as far as its metadata tell: the newest time of the metadata
 * objects of its root and of the trees directly in it, or the archive's own time. Chunks are not
 * looked at. In nanoseconds since the epoch; 0 for earlier times. */
int64_t store_mtime(const struct store *store);

/*
 * Detecting changes (watch.c says how, and what it cannot detect). After store_watch_from, reading
 * an object, or finding it absent, is ERR_CHANGED if it may have changed after `since`. Times are
 * nanoseconds of the real-time clock. `since` is what store_opened returned when the view was first
 * opened, in this process or another. That is the time when store_open began, or the latest change
 * seen until now if that is later; *ahead is the difference. It is not 0 if the store is being
 * written, or the clock of its file system is ahead. What other threads read meanwhile they
 * must not hand on.
 * store_settle waits until no later change can get the time of the opening: a few milliseconds at
 * most if file times have fractions of a second.
 */
int64_t store_opened(const struct store *store, int64_t *ahead);
void store_watch_from(struct store *store, int64_t since);
void store_settle(const struct store *store);

#endif
