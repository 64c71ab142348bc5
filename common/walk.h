/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk: a path gone through name by name. Each directory on the way is held, so that what was
 * looked at cannot be exchanged, and no symbolic link is followed but where that is safe.
 */
#ifndef VCZFS_COMMON_WALK_H
#define VCZFS_COMMON_WALK_H

#include <limits.h>
#include <stdbool.h>

enum walk_links {
    WALK_NO_LINKS,   /* none is followed: ELOOP */
    WALK_OWN_LINKS,  /* root's and the caller's are; EPERM at another */
    WALK_SAFE_LINKS, /* those are, in directories that only they may change; EPERM at another */
};

struct walk {
    enum walk_links links;
    bool make; /* directories that are missing */
    int dir;   /* owned, with O_PATH: the directory that `name` is in; -1 to begin with */
    char name[NAME_MAX + 1]; /* what was come to; "." if it is that directory itself */
    bool magic; /* it is a link in /proc without a path behind it, as /dev/stderr leads to */

    char rest[PATH_MAX]; /* after name */
    unsigned nlinks;
    bool exposed; /* another user may have led to dir */
};

/* As far as the last name of the path, which need not exist, and is no symbolic link unless it is
 * magic (WALK_OWN_LINKS) or has become one since. -1 with errno; if that is EPERM, name may be the
 * link that is not followed. Who serves what is mounted on the last name is not asked. */
int walk_to_last(struct walk *walk, const char *path);
void walk_end(struct walk *walk);

/* Is it root, and not merely called so in a user namespace? */
bool walk_is_root(void);

#endif
