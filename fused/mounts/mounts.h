/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts: what is mounted where, from /proc/self/mountinfo. No mount is touched, because a call to
 * a mount that nobody serves hangs.
 */
#ifndef VCZFS_FUSED_MOUNTS_MOUNTS_H
#define VCZFS_FUSED_MOUNTS_MOUNTS_H

#include "common/err.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define MOUNTS_TYPE       "fuse.vczfs" /* the type of our mounts in mountinfo */
#define MOUNTS_DEVICE_MAX 32

struct mount_entry {
    char device[MOUNTS_DEVICE_MAX]; /* "MAJOR:MINOR" */
    char type[64];                  /* "fuse.vczfs", "ext4", ... */
    uid_t owner;                    /* for FUSE, who mounted it; else 0 */
};

/* The topmost mount on exactly dir (canonical, absolute); false if there is none. */
bool mounts_find(const char *dir, struct mount_entry *out);

/* The same for an open directory, wherever it is now. */
bool mounts_find_on(int fd, struct mount_entry *out);

/* Calls `visit` for each place whose topmost mount is one of vczfs. */
void mounts_each(void (*visit)(const char *dir, const struct mount_entry *entry, void *arg),
                 void *arg);

/* The path where the vczfs mount of this device is the topmost one. (A mount may be moved or
 * covered by another one, and its directory may be renamed.) Owned by the caller; NULL if there is
 * no such path. */
char *mounts_where(const char *device);

/* The present path of an open directory; false if it cannot be found. */
bool mounts_path(int fd, char path[PATH_MAX]);

/* The present path of `name` in an open directory, or of the directory itself if name is "". Owned
 * by the caller; NULL if it cannot be found. */
char *mounts_path_of(int at, const char *name);

/* Is a mount of vczfs on `name` in the open directory `at`, or on `at` itself if name is ""? The
 * mount's server is not asked. */
bool mounts_is_ours(int at, const char *name);

/* Are both names on the same mount? */
bool mounts_same(int at, const char *name, int other_at, const char *other_name);

/* The canonical path of a directory to mount on, which may have a dead mount. All links are
 * followed. Owned by the caller; NULL on failure. */
char *mounts_canonical(const char *dir, struct err *err);

/* Has the FUSE mount on dir lost its server? A child process asks the server, for at most a second;
 * a server that only hangs is not lost. */
bool mounts_dead(const char *dir);

/* Unmounts the vczfs mount on dir (canonical, absolute), with umount2 or, for a user who may not
 * call that, fusermount3 -u. ERR_IO if it is in use and not `lazy`. ERR_USAGE if another mount is
 * there by now: the owner of a directory above may have exchanged it. */
int mounts_unmount(const char *dir, bool lazy, struct err *err);

/* The same for the mount on `name` in an open directory. `dir` is its name in messages. */
int mounts_unmount_at(int above, const char *name, const char *dir, bool lazy, struct err *err);

#endif
