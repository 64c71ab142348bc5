/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_place: a mount that a user names, reached through the directory above it, which is kept
 * open. Users who may write to directories on the path cannot put another mount in its place.
 */
#ifndef VCZFS_FUSED_MOUNTS_MOUNT_PLACE_H
#define VCZFS_FUSED_MOUNTS_MOUNT_PLACE_H

#include "common/err.h"

#include <limits.h>
#include <stdbool.h>

struct mount_place {
    int above; /* owned, O_PATH; -1: none */
    char name[NAME_MAX + 1];
    char by[NAME_MAX + 64]; /* "/proc/self/fd/ABOVE/NAME": a path for system calls */
    char *path;             /* owned: its path, for messages and for searching lists */
};

/* Finds and holds the place. Symbolic links are followed as with WALK_SAFE_LINKS. This does not ask
 * the mount's server and does not keep the mount in use. On failure there is nothing to free. */
int mount_place_hold(const char *dir, struct mount_place *out, struct err *err);
void mount_place_free(struct mount_place *place);

/* Is a mount of vczfs there? The mount's server is not asked. */
bool mount_place_is_ours(const struct mount_place *place);

#endif
