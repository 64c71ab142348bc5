/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_ahead: reads metadata texts side by side before they are needed one after the other.
 *
 * It keeps only texts that are short, as metadata usually are, and could be read. Any other text is
 * read when it is needed, as if it had not been tried before.
 */
#ifndef VCZFS_ZARR_META_META_AHEAD_H
#define VCZFS_ZARR_META_META_AHEAD_H

#include "encoderd/zarr/meta/meta_text.h"

/* Limits: how many texts are kept, the cost of each (with its tree), and the bytes of all texts
 * together (without trees). */
#define META_AHEAD_MAX    512
#define META_AHEAD_COST   ((size_t)64 << 10)
#define META_AHEAD_NBYTES ((size_t)2 << 20)

struct meta_ahead_text {
    char *key;  /* owned */
    char *name; /* owned; the array's, which begins the digest; or "" */
    bool known;
    bool found;      /* if known */
    struct buf text; /* if found; owned */
    struct meta_digest digest;
};

/* Zero-initialise; end with meta_ahead_clear. One thread adds texts, while no other uses them. */
struct meta_ahead {
    struct meta_ahead_text *texts; /* owned */
    size_t n, nread, nbytes;
};
void meta_ahead_clear(struct meta_ahead *ahead);

/* Adds a text to be read, unless there are too many or it was added before. */
void meta_ahead_add(struct meta_ahead *ahead, const char *key, const char *name);

/* Reads the texts that were added since the last call. */
void meta_ahead_read(struct meta_ahead *ahead, const struct store *store);

/* Like meta_text_read, which it calls for a text that was not read ahead. */
int meta_ahead_text(const struct meta_ahead *ahead, const struct store *store, const char *key,
                    const char *name, struct buf *out, struct meta_digest *digest, bool *found,
                    struct err *err);

#endif
