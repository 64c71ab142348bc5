/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nearest: of the names that there are, the one that was probably meant.
 *
 * Near is what differs by a slip of the hand or two; a name that is far off is worse than none.
 */
#ifndef VCZFS_COMMON_NEAREST_H
#define VCZFS_COMMON_NEAREST_H

#include <stddef.h>

#define NEAREST_MAX 96

struct nearest {
    const char *wanted; /* borrowed */
    size_t len;
    unsigned best; /* how far the nearest may be, or is */
    size_t found_len;
    char name[NEAREST_MAX];
};

void nearest_begin(struct nearest *nearest, const char *wanted, size_t len);

/* Is shown with `prefix` before it, which does not count. */
void nearest_consider(struct nearest *nearest, const char *prefix, const char *name, size_t len);

/* "; did you mean 'X'?", or "" if nothing is near. Owned by nearest. */
#define NEAREST_HINT_MAX (NEAREST_MAX + 24)
const char *nearest_hint(const struct nearest *nearest, char hint[NEAREST_HINT_MAX]);

#endif
