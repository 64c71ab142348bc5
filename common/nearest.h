/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nearest: finds the name that a user probably meant when there is none of the name that was given.
 *
 * A name is near if it differs by one or two slips of the hand. A suggestion that is far off would
 * be worse than none.
 */
#ifndef VCZFS_COMMON_NEAREST_H
#define VCZFS_COMMON_NEAREST_H

#include <stddef.h>

#define NEAREST_MAX 96

struct nearest {
    const char *wanted; /* borrowed */
    size_t len;
    unsigned best; /* distance of the nearest name, or the limit */
    size_t found_len;
    char name[NEAREST_MAX];
};

void nearest_begin(struct nearest *nearest, const char *wanted, size_t len);

/* Compares one possible name. `prefix` is shown before it but is not compared. */
void nearest_consider(struct nearest *nearest, const char *prefix, const char *name, size_t len);

/* "; did you mean 'X'?", or "" if nothing is near. Owned by nearest. */
#define NEAREST_HINT_MAX (NEAREST_MAX + 24)
const char *nearest_hint(const struct nearest *nearest, char hint[NEAREST_HINT_MAX]);

#endif
