/*
 * append: opening a log.
 */
#ifndef VCZFS_COMMON_APPEND_H
#define VCZFS_COMMON_APPEND_H

/* A descriptor to append to the file at `path`, which is made if it is not there, without waiting for who reads a pipe; -1
 * with errno. Root follows no symbolic link but root's own (else EPERM): another user's, in a directory of his, could
 * lead root's lines to any file. */
int append_open(const char *path);

#endif
