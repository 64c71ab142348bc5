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

/* Past NOTICES_MAX, and out of memory, a notice is dropped: none of them is needed to be right. */
void notices_add(struct notices *notices, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void notices_clear(struct notices *notices);

#endif
