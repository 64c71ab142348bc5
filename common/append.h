/* SPDX-License-Identifier: Apache-2.0 */
/*
 * append: opening a log.
 */
#ifndef VCZFS_COMMON_APPEND_H
#define VCZFS_COMMON_APPEND_H

#include <sys/types.h>

/* Opens the file at `path` for appending, and makes it if it does not exist. If it is a pipe, this
 * function does not wait for a reader. Returns a descriptor, or -1 with errno. When root calls,
 * only root's own symbolic links are followed (else EPERM), because a link in another user's
 * directory could lead root's lines to any file. For the same reason root does not write to a file
 * with several names in a directory where others may make names. */
int append_open(const char *path);

/* The same rules for every user, and missing directories of the path are made first. A file that is
 * longer than `most` is renamed to `path`.1 before, which replaces an older file of that name. */
int append_open_made(const char *path, off_t most);

#endif
