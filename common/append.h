/* SPDX-License-Identifier: Apache-2.0 */
/*
 * append: opening a log.
 */
#ifndef VCZFS_COMMON_APPEND_H
#define VCZFS_COMMON_APPEND_H

#include <sys/types.h>

/* A descriptor to append to the file at `path`, which is made if it is not there, without waiting
 * for who reads a pipe; -1 with errno. Root follows no symbolic link but root's own (else EPERM):
 * another user's, in a directory of his, could lead root's lines to any file. Nor does root write
 * to a file of several names where others may make some. */
int append_open(const char *path);

/* The same for everybody, after what is missing of the directories above was made. A file that is
 * longer than `most` gets the name `path`.1, in place of what has that. */
int append_open_made(const char *path, off_t most);

#endif
