/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printable: makes text from others safe for a terminal or a log.
 */
#ifndef VCZFS_COMMON_PRINTABLE_H
#define VCZFS_COMMON_PRINTABLE_H

#include <stddef.h>

/* Replaces by '?' every byte that could move the cursor, set a colour or begin a new line: control
 * characters, and the C1 control characters of UTF-8. Other bytes beyond ASCII stay, because names
 * can be any bytes. */
void printable(char *text, size_t n);

/* The same for text of several lines, whose line ends stay. */
void printable_lines(char *text, size_t n);

#endif
