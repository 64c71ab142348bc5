/*
 * printable: text of others on its way to a terminal or a log.
 */
#ifndef VCZFS_COMMON_PRINTABLE_H
#define VCZFS_COMMON_PRINTABLE_H

#include <stddef.h>

/* Puts '?' for what would move a cursor, colour a screen or begin a line of its own. Names are bytes: those
 * beyond ASCII stay as they are. */
void printable(char *text);

/* The same for n bytes that are lines of text. */
void printable_lines(char *text, size_t n);

#endif
