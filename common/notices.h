/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notices: things that the user should hear about a view, gathered while it is opened.
 */
#ifndef VCZFS_COMMON_NOTICES_H
#define VCZFS_COMMON_NOTICES_H

#include <stddef.h>

#define NOTICES_MAX 16

/* Zero-initialise; notices_clear at the end. */
struct notices {
    char *text[NOTICES_MAX]; /* owned */
    size_t n;
};

/* Adds a notice. It is dropped if there are NOTICES_MAX already, or no memory, because a notice
 * only informs. */
void notices_add(struct notices *notices, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void notices_clear(struct notices *notices);

#endif
