/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/serve/fuse_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOREVER 86400.0 /* seconds: the view never changes */
/* The kernel's limit of read-ahead requests that may wait for us. Beyond it all read-ahead waits in
 * the kernel: with 64, that many readers of a disk that hangs stopped all other readers. */
#define MAX_BACKGROUND 1024
#define DIR_HANDLE     0

static struct fuse_view *view_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static void note(const struct fuse_view *view, const char *kind, const char *name, uint64_t handle)
{
    struct access_entry entry = {.kind = kind, .name = name, .handle = handle};

    if (view->log == NULL)
        return;
    entry.t_start = access_log_now(view->log);
    access_log_add(view->log, &entry);
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
    struct fuse_view *view = userdata;

    conn->max_background = MAX_BACKGROUND;
    conn->congestion_threshold = MAX_BACKGROUND * 3 / 4;
    /* No splice: replies are written straight from the arena, and a pipe in between would only cost
     * time. */
    conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                              FUSE_CAP_WRITEBACK_CACHE);
    conn->want |= conn->capable & (FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS);
    view->inited = true;
}

static void fill_entry(const struct fs *fs, uint64_t ino, struct fuse_entry_param *entry)
{
    memset(entry, 0, sizeof *entry);
    entry->ino = ino;
    entry->attr_timeout = FOREVER;
    entry->entry_timeout = FOREVER;
    if (ino != 0 && !fs_stat(fs, ino, &entry->attr))
        status_stat(fs, ino, &entry->attr);
}

/* Inode 0 means that the name does not exist, and that the kernel may remember this. */
static void reply_entry(fuse_req_t req, uint64_t ino)
{
    struct fuse_entry_param entry;

    fill_entry(view_of(req)->fs, ino, &entry);
    fuse_reply_entry(req, &entry);
}

static void reply_lazy_entry(fuse_req_t req, const struct fs_file *file, int errnum)
{
    if (errnum != 0)
        fuse_reply_err(req, errnum);
    else
        reply_entry(req, fs_ino(view_of(req)->fs, file));
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_view *view = view_of(req);
    const struct fs_file *file = fs_by_name(view->fs, name);

    if (parent != FS_ROOT_INO || strlen(name) > FS_NAME_MAX) {
        fuse_reply_err(req, parent != FS_ROOT_INO ? ENOTDIR : ENAMETOOLONG);
        return;
    }
    if (file != NULL && !file->ready)
        lazy_wait(view->lazy, req, file, reply_lazy_entry);
    else
        reply_entry(req, file != NULL ? fs_ino(view->fs, file) : status_ino(name));
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;

    (void)fi;
    if (fs_stat(view_of(req)->fs, ino, &st) || status_stat(view_of(req)->fs, ino, &st))
        fuse_reply_attr(req, &st, FOREVER);
    else
        fuse_reply_err(req, ENOENT);
}

static int open_errno(const struct fs_file *file, fuse_ino_t ino, int flags)
{
    if (file == NULL)
        return ino == FS_ROOT_INO ? EISDIR : ENOENT;
    if (fs_wants_to_write(flags))
        return EROFS;
    return file->ready ? 0 : EIO; /* no lookup has returned its inode yet */
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fuse_view *view = view_of(req);
    const struct fs_file *file = fs_by_ino(view->fs, ino);
    int errnum = open_errno(file, ino, fi->flags);

    if (status_is(ino)) {
        status_open(view->status, req, ino, fi);
        return;
    }
    if (errnum != 0) {
        fuse_reply_err(req, errnum);
        return;
    }
    fi->fh = ++view->last_handle;
    fi->keep_cache = 1;
    fi->noflush = 1;
    /* -ENOENT means that the caller was interrupted; then no release will come. */
    if (fuse_reply_open(req, fi) == 0 && file->kind == FILE_STREAM)
        reads_opened(view->reads, file);
    note(view, "open", file->name, fi->fh);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fuse_view *view = view_of(req);
    const struct fs_file *file = fs_by_ino(view->fs, ino);

    if (status_is(ino)) {
        status_release(view->status, req, fi);
        return;
    }
    fuse_reply_err(req, 0);
    if (file == NULL)
        return;
    if (file->kind == FILE_STREAM)
        reads_closed(view->reads, file, fi->fh);
    note(view, "release", file->name, fi->fh);
}

static void reply_sidecar(fuse_req_t req, const struct fs_file *file, uint64_t offset, size_t size,
                          int *errnum)
{
    void *buf = file->fd >= 0 && size > 0 ? malloc(size) : NULL;
    const void *bytes = NULL;

    if (size > 0 && (file->fd < 0 || buf != NULL))
        bytes = fs_bytes(file, offset, size, buf);
    *errnum = size == 0 || bytes != NULL ? 0 : EIO;
    if (*errnum != 0)
        fuse_reply_err(req, *errnum);
    else
        fuse_reply_buf(req, bytes, size);
    free(buf);
}

static void read_sidecar(fuse_req_t req, const struct fs_file *file, uint64_t handle,
                         uint64_t offset, size_t size)
{
    struct fuse_view *view = view_of(req);
    struct access_entry entry = {.kind = "read",
                                 .name = file->name,
                                 .handle = handle,
                                 .offset = offset,
                                 .size = size,
                                 .t_start = access_log_now(view->log)};

    reply_sidecar(req, file, offset, size, &entry.errnum);
    access_log_add(view->log, &entry);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi)
{
    struct fuse_view *view = view_of(req);
    const struct fs_file *file = fs_by_ino(view->fs, ino);

    if (status_is(ino) && off >= 0) {
        status_read(req, fi, (uint64_t)off, size);
        return;
    }
    if (file == NULL || off < 0) {
        fuse_reply_err(req, file == NULL ? EISDIR : EINVAL);
        return;
    }
    size = fs_clamp(file, (uint64_t)off, size);
    if (file->kind != FILE_STREAM || size == 0)
        read_sidecar(req, file, fi->fh, (uint64_t)off, size);
    else
        reads_start(view->reads, req, file, fi->fh, (uint64_t)off, size);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fuse_view *view = view_of(req);

    if (ino != FS_ROOT_INO) {
        fuse_reply_err(req, ENOTDIR);
        return;
    }
    fi->fh = DIR_HANDLE;
    fi->keep_cache = 1;
    fi->cache_readdir = 1;
    fuse_reply_open(req, fi);
    note(view, "opendir", NULL, DIR_HANDLE);
}

/* Adds entry i of the directory: ".", "..", then the files. The offset after entry i is i + 1. */
static size_t add_entry(fuse_req_t req, const struct fs *fs, size_t i, bool plus, char *buf,
                        size_t room)
{
    const char *name = i == 0 ? "." : i == 1 ? ".." : fs->files[i - 2].name;
    struct fuse_entry_param entry;

    fill_entry(fs, i < 2 ? FS_ROOT_INO : fs_ino(fs, &fs->files[i - 2]), &entry);
    if (!plus)
        return fuse_add_direntry(req, buf, room, name, &entry.attr, (off_t)i + 1);
    if (i < 2 || !fs->files[i - 2].ready)
        entry.ino = 0; /* the kernel looks these up itself */
    return fuse_add_direntry_plus(req, buf, room, name, &entry, (off_t)i + 1);
}

static void read_dir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, bool plus)
{
    const struct fs *fs = view_of(req)->fs;
    size_t used = 0;
    char *buf;

    if (ino != FS_ROOT_INO || off < 0) {
        fuse_reply_err(req, ino != FS_ROOT_INO ? ENOTDIR : EINVAL);
        return;
    }
    buf = malloc(size);
    if (buf == NULL) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    for (size_t i = (size_t)off; i < fs->nfiles + 2; i++) {
        size_t n = add_entry(req, fs, i, plus, buf + used, size - used);

        if (n > size - used)
            break;
        used += n;
    }
    fuse_reply_buf(req, buf, used);
    free(buf);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                       struct fuse_file_info *fi)
{
    (void)fi;
    read_dir(req, ino, size, off, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                           struct fuse_file_info *fi)
{
    (void)fi;
    read_dir(req, ino, size, off, true);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    struct statvfs st;

    (void)ino;
    fs_statvfs(view_of(req)->fs, &st);
    fuse_reply_statfs(req, &st);
}

static void op_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
    (void)ino;
    fuse_reply_err(req, (mask & W_OK) != 0 ? EROFS : 0);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    (void)ino;
    (void)name;
    (void)size;
    fuse_reply_err(req, ENODATA);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    (void)ino;
    if (size == 0)
        fuse_reply_xattr(req, 0);
    else
        fuse_reply_buf(req, NULL, 0);
}

/* The kernel does not send these requests to a read-only mount. But root can remount it writable
 * (MS_REMOUNT), which the kernel does not tell us; then the requests come and are refused here. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#define REFUSED(op, ...)                                                                           \
    static void op(fuse_req_t req, fuse_ino_t ino, __VA_ARGS__)                                    \
    {                                                                                              \
        fuse_reply_err(req, EROFS);                                                                \
    }
REFUSED(op_setattr, struct stat *attr, int which, struct fuse_file_info *fi)
REFUSED(op_mknod, const char *name, mode_t mode, dev_t device)
REFUSED(op_mkdir, const char *name, mode_t mode)
REFUSED(op_remove, const char *name)
REFUSED(op_rename, const char *name, fuse_ino_t to, const char *as, unsigned flags)
REFUSED(op_link, fuse_ino_t to, const char *as)
REFUSED(op_create, const char *name, mode_t mode, struct fuse_file_info *fi)
REFUSED(op_setxattr, const char *name, const char *value, size_t size, int flags)

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t ino, const char *name)
{
    fuse_reply_err(req, EROFS);
}
#pragma GCC diagnostic pop

const struct fuse_lowlevel_ops fuse_ops = {
    .init = op_init,
    .lookup = op_lookup,
    .getattr = op_getattr,
    .open = op_open,
    .release = op_release,
    .read = op_read,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .readdirplus = op_readdirplus,
    .statfs = op_statfs,
    .access = op_access,
    .getxattr = op_getxattr,
    .listxattr = op_listxattr,
    .setattr = op_setattr,
    .mknod = op_mknod,
    .mkdir = op_mkdir,
    .unlink = op_remove,
    .rmdir = op_remove,
    .symlink = op_symlink,
    .rename = op_rename,
    .link = op_link,
    .create = op_create,
    .setxattr = op_setxattr,
    .removexattr = op_remove,
};
