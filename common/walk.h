/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk: follows a path name by name. Each directory on the way is kept open, so that it cannot be
 * replaced after it was checked. Symbolic links are followed only where that is safe.
 */
#ifndef VCZFS_COMMON_WALK_H
#define VCZFS_COMMON_WALK_H

#include <limits.h>
#include <stdbool.h>

enum walk_links {
    WALK_NO_LINKS,   /* none is followed: ELOOP */
    WALK_OWN_LINKS,  /* only root's and the caller's; EPERM at others */
    WALK_SAFE_LINKS, /* and only in directories that others cannot change; EPERM at others */
};

struct walk {
    enum walk_links links;
    bool make;               /* makes missing directories */
    int dir;                 /* owned, O_PATH: the directory of `name`; -1 at the start */
    char name[NAME_MAX + 1]; /* the name reached; "." for `dir` itself */
    bool magic;              /* `name` is a link in /proc to a descriptor, as of /dev/stderr */

    char rest[PATH_MAX]; /* after name */
    unsigned nlinks;
    bool exposed; /* another user may have chosen `dir` */
};

/* Walks to the last name of the path, which need not exist. It was no symbolic link when it was
 * looked at, except a magic one (with WALK_OWN_LINKS). -1 with errno; with EPERM, `name` may be the
 * link that is not followed. If something is mounted on the last name, its server is not asked. */
int walk_to_last(struct walk *walk, const char *path);
void walk_end(struct walk *walk);

/* Is this process really root, and not only root of a user namespace? */
bool walk_is_root(void);

#endif
