/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off: the table is laid out by hand. */
/*
 * kind: what a kind of store provides: its operations, and what each store and object of it begins
 * with.
 *
 * How kinds that are still to come stand behind it, with nothing of store.h to be changed:
 *
 *             directory         zip                HTTP, S3                     Icechunk
 * open        openat2, fstat    directory and      HEAD                         manifest, in
 *                               local header                                    memory
 * read        pread, fstat      the same           GET, Range, If-Match         GET of the chunk
 * get         open, then read   the same           one GET: the answer to a     as HTTP
 *                                                  range has size and ETag
 * likely      the system reads  no                 in the same GET              as HTTP
 *             it ahead
 * from_end    size, then read   the same           Range: bytes=-N              the size is known
 * absent      ENOENT, no link,  not in the         404; 403 is an error: it     not in the
 *             nothing removed   directory          may hide what is there       manifest
 * unchanged   ctime, after      the archive's      If-Match: the ETag when      holds by design
 *             reading           ctime              opened, or Last-Modified
 * names,      readdir           the directory      LIST with a prefix; without  the snapshot
 * usage                                            one, lists_names is false,
 *                                                  names is an error, and
 *                                                  metadata is consolidated
 * identity    ctime, mtime,     the archive's      ETag and size                snapshot id
 *             size
 * submit,     threads that      the same           an event loop of its own     as HTTP
 * withdraw    wait
 * object_part 128 KiB           the same; of       0: one request beats many    as HTTP
 *                               deflated members 0
 */
/* clang-format on */
#ifndef VCZFS_ZARR_STORE_KIND_H
#define VCZFS_ZARR_STORE_KIND_H

#include "encoderd/zarr/store/store.h"

#include <stdatomic.h>

enum got { GOT_FAILED = -1, GOT_IT, GOT_NOTHING, GOT_NOT_NOW };

/* The operations of a kind of store. If may_wait is false, an operation that would have to wait
 * returns GOT_NOT_NOW; it may do so for an error as well, without setting it. */
struct store_ops {
    /* Opens the object of the range's key; the range will be read next. *out has one reference.
     * GOT_NOTHING if there is no such object. */
    enum got (*open)(const struct store *store, const struct store_range *range, bool may_wait,
                     struct object **out, struct err *err);
    /* Reads exactly n > 0 bytes, or sets an error that names the object. */
    enum got (*read)(const struct object *object, uint64_t offset, void *to, size_t n,
                     bool may_wait, struct err *err);
    /* Called when the last reference was given back. */
    void (*close)(struct object *object);

    /* Opens and reads in one step, if that is faster than two; else NULL (see get.h). */
    enum got (*get)(const struct store *store, struct store_range *range, bool may_wait);
    /* NULL: threads wait for this store (fetch_threads.h). */
    void (*submit)(const struct store *store, struct store_range *range);
    bool (*withdraw)(const struct store *store, struct store_range *range);

    int (*children)(const struct store *store, const char *key,
                    int (*visit)(const char *name, void *arg), void *arg, struct err *err);
    int (*names)(const struct store *store, const char *key,
                 int (*visit)(const char *name, void *arg), void *arg, struct err *err);
    int (*usage)(const struct store *store, const char *key, uint64_t *nobjects, uint64_t *nbytes,
                 struct err *err);
    /* `object`: opened at the key, or NULL. */
    int (*identity)(const struct store *store, const char *key, const struct object *object,
                    void (*add)(const void *data, size_t n, void *arg), void *arg, struct err *err);
    /* When the object was modified, in nanoseconds since the epoch; INT64_MIN if it does not
     * exist. */
    int64_t (*mtime)(const struct store *store, const char *key);
    /* NULL: opening the object tells whether it exists. */
    int (*has)(const struct store *store, const char *key, bool *has, struct err *err);
    void (*free)(struct store *store);
    /* NULL if the store keeps nothing in memory. */
    int (*set_budget)(struct store *store, size_t nbytes, struct err *err);
    void (*trim)(const struct store *store);
};

/* See watch.h. Times are nanoseconds of the real-time clock. */
struct store_watch {
    int64_t opened;
    _Atomic(int64_t) since;  /* INT64_MAX until store_watch_from */
    _Atomic(int64_t) latest; /* latest change that was seen until then */
    atomic_bool fractions;   /* fractions of a second were seen, so the file system has them */
};

/* Parts of store_counts. */
struct store_tally {
    atomic_uint_fast64_t requests, bytes, opened, waits;
};

struct fetch_threads;

/* The first member of each kind's own struct, all zero but ops and path. */
struct store {
    const struct store_ops *ops;
    char *path;       /* owned by the kind */
    bool lists_names; /* see store_lists_names */
    uint32_t part; /* if an object is not open yet, longer ranges are read in parts, side by side;
                      0: never */
    struct spill *spill; /* borrowed; or NULL */
    struct held *held;   /* borrowed; or NULL */
    struct store_watch watch;
    struct store_tally tally;
    bool here;           /* see store_is_here */
    atomic_bool far;     /* see store_is_far */
    atomic_uint at_once; /* an enum at_once: file.h */
    struct fetch_threads
        *threads; /* store_open makes and store_free frees it; NULL: none submitted */
};

/* The first member of each kind's own struct for an object. The kind sets size and part; get.c sets
 * the rest. */
struct object {
    const struct store *store; /* borrowed */
    uint64_t size;
    uint64_t id;   /* equal for equal keys */
    uint32_t part; /* as a store's */
    atomic_uint references;
};

#endif
