/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite_fd: an SQLite database written to a descriptor.
 *
 * SQLite knows files by their names. A database that is handed on as a descriptor, and that nobody
 * may find in a directory after a crash, has none: here is a VFS of one file without a name.
 */
#ifndef VCZFS_FORMAT_SQLITE_FD_H
#define VCZFS_FORMAT_SQLITE_FD_H

#include "common/err.h"

#include <sqlite3.h>

struct sqlite_fd;

/* A new database on an empty, writable file. fd is borrowed. No journal, no locks: it is complete
 * when sqlite_fd_close says so, and worthless otherwise. One thread at a time. */
struct sqlite_fd *sqlite_fd_open(int fd, struct err *err);
sqlite3 *sqlite_fd_db(struct sqlite_fd *file);

/* ERR_IO if anything did not reach the descriptor; frees in any case. NULL is closed already. */
int sqlite_fd_close(struct sqlite_fd *file, struct err *err);

/* Fills err from the database's last failure; returns -1. */
int sqlite_fd_fail(struct sqlite_fd *file, struct err *err);

#endif
