/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printable: text of others on its way to a terminal or a log.
 */
#ifndef VCZFS_COMMON_PRINTABLE_H
#define VCZFS_COMMON_PRINTABLE_H

#include <stddef.h>

/* Puts '?' for what would move a cursor, colour a screen or begin a line of its own: control
 * characters, the C1 ones of UTF-8 too. Names are bytes: other ones beyond ASCII stay as they
 * are. */
void printable(char *text, size_t n);

/* The same for lines, which end where they do. */
void printable_lines(char *text, size_t n);

#endif
