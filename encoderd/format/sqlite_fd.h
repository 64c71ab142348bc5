/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite_fd: an SQLite database written to a descriptor.
 *
 * SQLite knows files by their names. A database that is passed on as a descriptor, and that must
 * not remain in a directory after a crash, has no name. So this is a VFS of one file without a
 * name.
 */
#ifndef VCZFS_FORMAT_SQLITE_FD_H
#define VCZFS_FORMAT_SQLITE_FD_H

#include "common/err.h"

#include <sqlite3.h>

struct sqlite_fd;

/* A new database in an empty, writable file. fd is borrowed. There is no journal and no lock: the
 * database is complete if sqlite_fd_close succeeds, and must not be used otherwise. One thread at a
 * time. */
struct sqlite_fd *sqlite_fd_open(int fd, struct err *err);
sqlite3 *sqlite_fd_db(struct sqlite_fd *file);

/* ERR_IO if any byte did not reach the descriptor. Frees in any case. NULL counts as closed. */
int sqlite_fd_close(struct sqlite_fd *file, struct err *err);

/* Fills err with the database's last failure; returns -1. */
int sqlite_fd_fail(struct sqlite_fd *file, struct err *err);

#endif
