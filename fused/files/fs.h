/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs: the files of one view: inode numbers, names, sizes and the sidecars' bytes. It does not know
 * FUSE.
 *
 * The table is filled while the view opens. After that only one thing changes: each lazy file
 * becomes ready once, when it has been made. Inode 1 is the directory; file i, as the protocol
 * counts them, is inode i + 2.
 */
#ifndef VCZFS_FUSED_FILES_FS_H
#define VCZFS_FUSED_FILES_FS_H

#include "proto/proto.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#define FS_ROOT_INO   1
#define FS_FIRST_FILE 2
#define FS_NAME_MAX   255

struct fs_file {
    char *name; /* owned */
    enum file_kind kind;
    uint64_t size;
    uint64_t buffer;    /* bytes a program should read at a time; 0: it does not matter */
    const uint8_t *map; /* the sidecar's bytes, mapped, owned; NULL: not mapped */
    int fd;             /* of a sidecar too large for memory, owned; else -1 */
    bool ready;         /* size and bytes are known; false: lazy and not yet made */
};

struct fs {
    struct fs_file files[PROTO_FILES_MAX];
    size_t nfiles;
    uid_t uid;
    gid_t gid;
    struct timespec mtime; /* of all files; the store's once it is known */
};

/* Makes an empty table. Files belong to the calling user and have the present time. */
void fs_init(struct fs *fs);
/* Sets the time of all files, in nanoseconds since the epoch. */
void fs_set_mtime(struct fs *fs, uint64_t ns);

/* Do these flags of open(2) ask for writing? O_APPEND alone counts, too, although the kernel would
 * allow it: the caller then learns at once that nothing can be appended, as in other file systems
 * that show a store (biofuse). */
bool fs_wants_to_write(int flags);

void fs_free(struct fs *fs);

/* Checks and adds a file that the encoder announced. A sidecar's fd (sealed against any change) is
 * mapped; the caller keeps fd. ERR_PEER if anything about the file is wrong. */
int fs_add(struct fs *fs, const struct msg_file *file, int fd, struct err *err);

/* Checks and takes the bytes of a lazy file that the encoder has made. The caller keeps fd. */
int fs_take_lazy(struct fs *fs, const struct msg_sidecar *sidecar, int fd, struct err *err);

/* The file with this inode number; NULL if there is none. Its index is `file - fs->files`. */
const struct fs_file *fs_by_ino(const struct fs *fs, uint64_t ino);
const struct fs_file *fs_by_name(const struct fs *fs, const char *name);
uint64_t fs_ino(const struct fs *fs, const struct fs_file *file);

/* Fills `out`; false if there is no such inode. */
bool fs_stat(const struct fs *fs, uint64_t ino, struct stat *out);
void fs_statvfs(const struct fs *fs, struct statvfs *out);

/* How many bytes of [offset, offset + size) the file has. */
size_t fs_clamp(const struct fs_file *file, uint64_t offset, size_t size);

/* Bytes [offset, offset + size) of a sidecar, which must have them: a pointer into the mapping, or
 * to buf after reading them into it. buf has room for size bytes. NULL if they cannot be read. */
const void *fs_bytes(const struct fs_file *file, uint64_t offset, size_t size, void *buf);

#endif
