/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_problems: the problems that a check found, or its remarks.
 */
#ifndef VCZFS_CHECK_CHECK_PROBLEMS_H
#define VCZFS_CHECK_CHECK_PROBLEMS_H

#include <stddef.h>
#include <stdint.h>

#define PROBLEMS_MAX 1000

struct problem {
    char *array;   /* owned; "" if it is of no single array */
    char *chunk;   /* owned; the chunk's key; "" if it is of no single chunk */
    char *message; /* owned */
};

/* Zero-initialise before; problems_clear at the end. Beyond PROBLEMS_MAX, and if out of memory,
 * problems are only counted. */
struct problems {
    struct problem *items; /* owned */
    size_t n, cap;
    uint64_t total;
};
void problems_add(struct problems *problems, const char *array, const char *chunk, const char *fmt,
                  ...) __attribute__((format(printf, 4, 5)));
void problems_move(struct problems *from, struct problems *to);
void problems_clear(struct problems *problems);

#endif
