/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/format/sqlite_fd.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES  64
#define SECTOR_SIZE 4096

struct sqlite_fd {
    sqlite3_vfs vfs;
    char name[PATH_BYTES]; /* of the VFS: unlike any other's */
    int fd;
    int errnum; /* of the first write that failed */
    sqlite3 *db;
};

/* What SQLite allocates for the file. */
struct open_file {
    sqlite3_file base;
    struct sqlite_fd *file;
};

static struct sqlite_fd *file_of(sqlite3_file *file)
{
    return ((struct open_file *)file)->file;
}

static int io_close(sqlite3_file *file)
{
    (void)file;
    return SQLITE_OK;
}

static int io_read(sqlite3_file *file, void *to, int n, sqlite3_int64 offset)
{
    uint8_t *at = to;

    while (n > 0) {
        const ssize_t got = pread(file_of(file)->fd, at, (size_t)n, offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SQLITE_IOERR_READ;
        if (got == 0) {
            memset(at, 0, (size_t)n);
            return SQLITE_IOERR_SHORT_READ;
        }
        at += got;
        offset += got;
        n -= (int)got;
    }
    return SQLITE_OK;
}

static int io_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 offset)
{
    const uint8_t *at = from;

    while (n > 0) {
        const ssize_t put = pwrite(file_of(file)->fd, at, (size_t)n, offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            file_of(file)->errnum = errno;
            return errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        }
        at += put;
        offset += put;
        n -= (int)put;
    }
    return SQLITE_OK;
}

static int io_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return ftruncate(file_of(file)->fd, size) == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int io_sync(sqlite3_file *file, int flags)
{
    (void)file, (void)flags;
    return SQLITE_OK;
}

static int io_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct stat st;

    if (fstat(file_of(file)->fd, &st) != 0)
        return SQLITE_IOERR_FSTAT;
    *size = st.st_size;
    return SQLITE_OK;
}

static int io_lock(sqlite3_file *file, int level)
{
    (void)file, (void)level;
    return SQLITE_OK;
}

static int io_is_reserved(sqlite3_file *file, int *reserved)
{
    (void)file;
    *reserved = 0;
    return SQLITE_OK;
}

static int io_control(sqlite3_file *file, int op, void *arg)
{
    (void)file, (void)op, (void)arg;
    return SQLITE_NOTFOUND;
}

static int io_sector_size(sqlite3_file *file)
{
    (void)file;
    return SECTOR_SIZE;
}

static int io_characteristics(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static const sqlite3_io_methods io_methods = {
    .iVersion = 1,
    .xClose = io_close,
    .xRead = io_read,
    .xWrite = io_write,
    .xTruncate = io_truncate,
    .xSync = io_sync,
    .xFileSize = io_size,
    .xLock = io_lock,
    .xUnlock = io_lock,
    .xCheckReservedLock = io_is_reserved,
    .xFileControl = io_control,
    .xSectorSize = io_sector_size,
    .xDeviceCharacteristics = io_characteristics,
};

/* Opens the main database only: no other file may exist. */
static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *out_flags)
{
    struct open_file *open_file = (struct open_file *)file;

    (void)name;
    open_file->base.pMethods = NULL;
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return SQLITE_CANTOPEN;
    *open_file = (struct open_file){{&io_methods}, vfs->pAppData};
    if (out_flags != NULL)
        *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs, (void)name, (void)sync;
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    (void)vfs, (void)name, (void)flags;
    *result = 0;
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    (void)vfs;
    snprintf(out, (size_t)n, "%s", name);
    return SQLITE_OK;
}

/* Time, sleep and random numbers come from the system's VFS. */
static int register_vfs(struct sqlite_fd *file)
{
    const sqlite3_vfs *system = sqlite3_vfs_find(NULL);

    if (system == NULL)
        return SQLITE_ERROR;
    file->vfs = *system;
    snprintf(file->name, sizeof file->name, "vczfs-%p", (void *)file);
    file->vfs.pNext = NULL;
    file->vfs.zName = file->name;
    file->vfs.pAppData = file;
    file->vfs.szOsFile = sizeof(struct open_file);
    file->vfs.mxPathname = PATH_BYTES;
    file->vfs.xOpen = vfs_open;
    file->vfs.xDelete = vfs_delete;
    file->vfs.xAccess = vfs_access;
    file->vfs.xFullPathname = vfs_full_path;
    return sqlite3_vfs_register(&file->vfs, 0);
}

struct sqlite_fd *sqlite_fd_open(int fd, struct err *err)
{
    struct sqlite_fd *file = calloc(1, sizeof *file);

    if (file == NULL) {
        err_nomem(err, "a SQLite file");
        return NULL;
    }
    file->fd = fd;
    if (register_vfs(file) != SQLITE_OK) {
        err_set(err, ERR_SYSTEM, "SQLite takes no VFS");
        free(file);
        return NULL;
    }
    if (sqlite3_open_v2("index", &file->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        file->name) != SQLITE_OK ||
        sqlite3_exec(file->db, "PRAGMA journal_mode=OFF; PRAGMA temp_store=MEMORY", NULL, NULL,
                     NULL) != SQLITE_OK) {
        sqlite_fd_fail(file, err);
        sqlite_fd_close(file, NULL);
        return NULL;
    }
    return file;
}

sqlite3 *sqlite_fd_db(struct sqlite_fd *file)
{
    return file->db;
}

int sqlite_fd_fail(struct sqlite_fd *file, struct err *err)
{
    if (file->errnum != 0)
        return err_sys(err, ERR_IO, file->errnum, "cannot write an index");
    return err_set(err, ERR_IO, "cannot write an index: SQLite says: %s", sqlite3_errmsg(file->db));
}

int sqlite_fd_close(struct sqlite_fd *file, struct err *err)
{
    int rc = 0;

    if (file == NULL)
        return 0;
    if (sqlite3_close(file->db) != SQLITE_OK)
        rc = err_set(err, ERR_IO, "an index was left unfinished");
    if (file->errnum != 0)
        rc = err_sys(err, ERR_IO, file->errnum, "cannot write an index");
    sqlite3_vfs_unregister(&file->vfs);
    free(file);
    return rc;
}
