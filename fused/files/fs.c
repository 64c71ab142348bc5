/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/fs.h"

#include "common/memfd.h"
#include "common/size.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_SIZE 4096
#define SECOND_NS  1000000000u

void fs_init(struct fs *fs)
{
    memset(fs, 0, sizeof *fs);
    fs->uid = getuid();
    fs->gid = getgid();
    clock_gettime(CLOCK_REALTIME, &fs->mtime);
}

void fs_set_mtime(struct fs *fs, uint64_t ns)
{
    fs->mtime = (struct timespec){(time_t)(ns / SECOND_NS), (long)(ns % SECOND_NS)};
}

bool fs_wants_to_write(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_TRUNC | O_APPEND)) != 0;
}

void fs_free(struct fs *fs)
{
    for (size_t i = 0; i < fs->nfiles; i++) {
        free(fs->files[i].name);
        memfd_unmap(fs->files[i].map, fs->files[i].size);
        if (fs->files[i].fd >= 0)
            close(fs->files[i].fd);
    }
    fs->nfiles = 0;
}

static bool name_ok(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= FS_NAME_MAX && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static int check_file(const struct fs *fs, const struct msg_file *file, struct err *err)
{
    if (fs->nfiles == PROTO_FILES_MAX || file->file != fs->nfiles)
        return err_set(err, ERR_PEER, "the encoder sent file %" PRIu64 " where %zu was due",
                       file->file, fs->nfiles);
    if (!name_ok(file->name))
        return err_set(err, ERR_PEER, "the encoder sent a file name that cannot be one");
    if (fs_by_name(fs, file->name) != NULL)
        return err_set(err, ERR_PEER, "the encoder sent the file '%s' twice", file->name);
    if (file->kind != FILE_STREAM && file->kind != FILE_SIDECAR && file->kind != FILE_LAZY)
        return err_set(err, ERR_PEER, "the encoder sent '%s' with a kind that is none", file->name);
    if (file->size > INT64_MAX)
        return err_set(err, ERR_PEER, "the encoder sent '%s' with an impossible size", file->name);
    return 0;
}

static int map_sidecar(const char *name, uint64_t size, int fd, const uint8_t **map,
                       struct err *err)
{
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & F_SEAL_WRITE) == 0)
        return err_set(err, ERR_PEER, "the encoder sent '%s' without sealing it", name);
    if (memfd_map(fd, size, map, err) != 0)
        return err_prefix(err, "file '%s'", name);
    return 0;
}

int fs_add(struct fs *fs, const struct msg_file *file, int fd, struct err *err)
{
    struct fs_file *slot = &fs->files[fs->nfiles];
    const uint8_t *map = NULL;

    if (check_file(fs, file, err) != 0)
        return -1;
    if (file->kind == FILE_SIDECAR && map_sidecar(file->name, file->size, fd, &map, err) != 0)
        return -1;
    *slot = (struct fs_file){.name = strdup(file->name),
                             .kind = file->kind,
                             .size = file->size,
                             .buffer = file->buffer,
                             .map = map,
                             .fd = -1,
                             .ready = file->kind != FILE_LAZY};
    if (slot->name == NULL) {
        memfd_unmap(map, file->size);
        return err_nomem(err, "the name of a file");
    }
    fs->nfiles++;
    return 0;
}

/* Keeps the descriptor of a sidecar that is not mapped but read: another process could truncate the
 * file, and then a read is short, whereas a mapping would raise SIGBUS. */
static int keep_file(const struct msg_sidecar *sidecar, int fd, struct fs_file *file,
                     struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size < sidecar->size)
        return err_set(err, ERR_PEER, "the encoder sent '%s' as no file of its size", file->name);
    file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (file->fd < 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot keep '%s'", file->name);
    return 0;
}

int fs_take_lazy(struct fs *fs, const struct msg_sidecar *sidecar, int fd, struct err *err)
{
    struct fs_file *file = &fs->files[sidecar->file];

    if (sidecar->file >= fs->nfiles || file->kind != FILE_LAZY || file->ready)
        return err_set(err, ERR_PEER, "the encoder sent a file that nobody waits for");
    if (sidecar->size > INT64_MAX)
        return err_set(err, ERR_PEER, "the encoder sent '%s' with an impossible size", file->name);
    if ((sidecar->sealed ? map_sidecar(file->name, sidecar->size, fd, &file->map, err)
                         : keep_file(sidecar, fd, file, err)) != 0)
        return -1;
    file->size = sidecar->size;
    file->ready = true;
    return 0;
}

const struct fs_file *fs_by_ino(const struct fs *fs, uint64_t ino)
{
    if (ino < FS_FIRST_FILE || ino - FS_FIRST_FILE >= fs->nfiles)
        return NULL;
    return &fs->files[ino - FS_FIRST_FILE];
}

const struct fs_file *fs_by_name(const struct fs *fs, const char *name)
{
    for (size_t i = 0; i < fs->nfiles; i++)
        if (strcmp(fs->files[i].name, name) == 0)
            return &fs->files[i];
    return NULL;
}

uint64_t fs_ino(const struct fs *fs, const struct fs_file *file)
{
    return (uint64_t)(file - fs->files) + FS_FIRST_FILE;
}

bool fs_stat(const struct fs *fs, uint64_t ino, struct stat *out)
{
    const struct fs_file *file = fs_by_ino(fs, ino);

    if (file == NULL && ino != FS_ROOT_INO)
        return false;
    memset(out, 0, sizeof *out);
    out->st_ino = ino;
    out->st_mode = file != NULL ? S_IFREG | 0444 : S_IFDIR | 0555;
    out->st_nlink = file != NULL ? 1 : 2;
    out->st_uid = fs->uid;
    out->st_gid = fs->gid;
    out->st_size = file != NULL ? (off_t)file->size : 0;
    out->st_blocks = file != NULL ? (blkcnt_t)size_div_up(file->size, 512) : 0;
    out->st_blksize = file != NULL && file->buffer > 0 ? (blksize_t)file->buffer : BLOCK_SIZE;
    out->st_atim = out->st_mtim = out->st_ctim = fs->mtime;
    return true;
}

void fs_statvfs(const struct fs *fs, struct statvfs *out)
{
    memset(out, 0, sizeof *out);
    out->f_bsize = out->f_frsize = BLOCK_SIZE;
    for (size_t i = 0; i < fs->nfiles; i++)
        out->f_blocks += size_div_up(fs->files[i].size, BLOCK_SIZE);
    out->f_files = fs->nfiles + 1;
    out->f_flag = ST_RDONLY | ST_NOSUID;
    out->f_namemax = FS_NAME_MAX;
}

size_t fs_clamp(const struct fs_file *file, uint64_t offset, size_t size)
{
    if (offset >= file->size)
        return 0;
    return (size_t)size_min(size, file->size - offset);
}

const void *fs_bytes(const struct fs_file *file, uint64_t offset, size_t size, void *buf)
{
    size_t done = 0;

    if (file->fd < 0)
        return file->map + offset;
    while (done < size) {
        const ssize_t n =
            pread(file->fd, (uint8_t *)buf + done, size - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return NULL;
        done += (size_t)n;
    }
    return buf;
}
