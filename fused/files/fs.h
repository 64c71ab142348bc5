/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs: the files of one view: inode numbers, names, sizes and the sidecars' bytes. Knows no FUSE.
 *
 * The table is filled once, while the view opens, and never changes while it is mounted, but for
 * lazy files, which are ready some time later, once. Inode 1 is the directory; file i, as the
 * protocol counts them, is inode i + 2.
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
    uint64_t buffer;    /* what programs had best read at a time; 0: it does not matter */
    const uint8_t *map; /* a sidecar's bytes, mapped read-only, owned; NULL if it has none there */
    int fd;             /* where a sidecar too large for memory is, owned; else -1 */
    bool ready;         /* size and bytes are known: false for a lazy file that was not made yet */
};

struct fs {
    struct fs_file files[PROTO_FILES_MAX];
    size_t nfiles;
    uid_t uid;
    gid_t gid;
    struct timespec mtime; /* of everything; that of the data once it is known */
};

/* An empty table, its files owned by the calling user, dated now. */
void fs_init(struct fs *fs);
/* Nanoseconds since the epoch. */
void fs_set_mtime(struct fs *fs, uint64_t ns);

/* Do these flags of open(2) say so? Appending alone does, though the kernel would let it pass: who
 * asks for it hears at once that nothing will be appended, as from other file systems that show
 * stores so (biofuse). */
bool fs_wants_to_write(int flags);

void fs_free(struct fs *fs);

/* Adds what the encoder announced, after checking all of it. A sidecar's fd (sealed against any
 * change) is mapped; it stays the caller's. ERR_PEER if anything about it is wrong. */
int fs_add(struct fs *fs, const struct msg_file *file, int fd, struct err *err);

/* Takes what the encoder sent for a lazy file, after checking all of it; fd stays the caller's. */
int fs_take_lazy(struct fs *fs, const struct msg_sidecar *sidecar, int fd, struct err *err);

/* NULL if there is none. The index of a file is `file - fs->files`. */
const struct fs_file *fs_by_ino(const struct fs *fs, uint64_t ino);
const struct fs_file *fs_by_name(const struct fs *fs, const char *name);
uint64_t fs_ino(const struct fs *fs, const struct fs_file *file);

/* false if there is no such inode. */
bool fs_stat(const struct fs *fs, uint64_t ino, struct stat *out);
void fs_statvfs(const struct fs *fs, struct statvfs *out);

/* Bytes of [offset, offset + size) that the file really has. */
size_t fs_clamp(const struct fs_file *file, uint64_t offset, size_t size);

/* A sidecar's bytes [offset, offset + size), which it has: where they are mapped, or read into buf,
 * which has room for them. NULL if they cannot be read. */
const void *fs_bytes(const struct fs_file *file, uint64_t offset, size_t size, void *buf);

#endif
