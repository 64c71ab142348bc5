/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_ahead: metadata texts, read side by side before somebody asks for one after the other.
 *
 * Only what is short, as metadata are, and could be read: for anything else whoever asks reads it,
 * as if nobody had tried before.
 */
#ifndef VCZFS_ZARR_META_META_AHEAD_H
#define VCZFS_ZARR_META_META_AHEAD_H

#include "encoderd/zarr/meta/meta_text.h"

/* Texts that are kept, what each may cost at most, its tree included, and what all of them may take
 * without. */
#define META_AHEAD_MAX    512
#define META_AHEAD_COST   ((size_t)64 << 10)
#define META_AHEAD_NBYTES ((size_t)2 << 20)

struct meta_ahead_text {
    char *key;  /* owned */
    char *name; /* owned; of the array, what the digest begins with; or "" */
    bool known;
    bool found;      /* if known */
    struct buf text; /* if found; owned */
    struct meta_digest digest;
};

/* Zero-initialise; meta_ahead_clear. Texts are added by one thread, while nobody looks. */
struct meta_ahead {
    struct meta_ahead_text *texts; /* owned */
    size_t n, nread, nbytes;
    bool waits; /* one of those that were read had to be waited for: so will others */
};
void meta_ahead_clear(struct meta_ahead *ahead);

/* Notes a text that is to be read, unless there are too many or it is noted already. */
void meta_ahead_add(struct meta_ahead *ahead, const char *key, const char *name);

/* Reads what was added since the last call. */
void meta_ahead_read(struct meta_ahead *ahead, const struct store *store);

/* As meta_text_read, which is called where need be. */
int meta_ahead_text(const struct meta_ahead *ahead, const struct store *store, const char *key,
                    const char *name, struct buf *out, struct meta_digest *digest, bool *found,
                    struct err *err);

#endif
