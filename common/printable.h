/*
 * printable: text of others on its way to a terminal or a log.
 */
#ifndef VCZFS_COMMON_PRINTABLE_H
#define VCZFS_COMMON_PRINTABLE_H

/* Puts '?' for what would move a cursor, colour a screen or begin a line of its own. Names are bytes: those
 * beyond ASCII stay as they are. */
void printable(char *text);

#endif
