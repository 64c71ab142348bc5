/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts: what is mounted where, from /proc/self/mountinfo, without touching any mount: asking a
 * mount about itself hangs when nobody serves it.
 */
#ifndef VCZFS_FUSED_MOUNTS_MOUNTS_H
#define VCZFS_FUSED_MOUNTS_MOUNTS_H

#include "common/err.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define MOUNTS_TYPE       "fuse.vczfs" /* what we are called in there */
#define MOUNTS_DEVICE_MAX 32

struct mount_entry {
    char device[MOUNTS_DEVICE_MAX]; /* "MAJOR:MINOR" */
    char type[64];                  /* "fuse.vczfs", "ext4", ... */
    uid_t owner;                    /* of a FUSE mount: who mounted it; else 0 */
};

/* The topmost mount exactly on dir (canonical, absolute). false if there is none. */
bool mounts_find(const char *dir, struct mount_entry *out);

/* The same for a directory that is held, wherever it is by now. */
bool mounts_find_on(int fd, struct mount_entry *out);

/* Calls `visit` for the topmost mount of each place where vczfs has mounted something. */
void mounts_each(void (*visit)(const char *dir, const struct mount_entry *entry, void *arg),
                 void *arg);

/* Where the vczfs mount of this device is the topmost one; a mount may be moved, or covered by
 * another, and its directory renamed. Owned by the caller; NULL if there is no such place. */
char *mounts_where(const char *device);

/* Where a directory that is held is now; false if nobody can say. */
bool mounts_path(int fd, char path[PATH_MAX]);

/* The same of a name in it (of itself if that is ""). Owned by the caller; NULL if nobody can
 * say. */
char *mounts_path_of(int at, const char *name);

/* Is what is mounted on `name` in a directory that is held (on the directory itself if name is "")
 * a mount of vczfs? Its server is not asked. */
bool mounts_is_ours(int at, const char *name);

/* Do two such names lead to the same mount? */
bool mounts_same(int at, const char *name, int other_at, const char *other_name);

/* Canonical form of a directory to mount on, where a dead mount may be: links are followed, whoever
 * made them. Owned by the caller; NULL on failure. */
char *mounts_canonical(const char *dir, struct err *err);

/* Is the FUSE mount on dir one whose server is gone? Asks the server, in a child process, and not
 * for longer than a second: a server that merely hangs is not gone. */
bool mounts_dead(const char *dir);

/* Takes the vczfs mount on dir (canonical, absolute) away: umount2 or, for a user who may not,
 * fusermount3 -u. ERR_IO when it is in use and `lazy` was not asked for; ERR_USAGE when another
 * mount is there: who owns a directory above it may have exchanged what is there since somebody
 * looked. */
int mounts_unmount(const char *dir, bool lazy, struct err *err);

/* The same for the mount on `name` in a directory that is held; `dir` is what messages call it. */
int mounts_unmount_at(int above, const char *name, const char *dir, bool lazy, struct err *err);

#endif
