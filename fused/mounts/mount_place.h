/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_place: the mount that a user names, held by the directory above it while something is done
 * to it. Whoever may write to the directories that lead there cannot put another mount in its
 * place.
 */
#ifndef VCZFS_FUSED_MOUNTS_MOUNT_PLACE_H
#define VCZFS_FUSED_MOUNTS_MOUNT_PLACE_H

#include "common/err.h"

#include <limits.h>
#include <stdbool.h>

struct mount_place {
    int above; /* owned, with O_PATH; -1 if there is none */
    char name[NAME_MAX + 1];
    char by[NAME_MAX + 64]; /* "/proc/self/fd/ABOVE/NAME": a path for system calls */
    char *path;             /* owned: where that was; for messages, and to look for in lists */
};

/* Symbolic links are followed where WALK_SAFE_LINKS has them followed. The mount is not asked, and
 * not kept in use. On failure there is nothing to free. */
int mount_place_hold(const char *dir, struct mount_place *out, struct err *err);
void mount_place_free(struct mount_place *place);

/* Is what is mounted there a mount of vczfs? Its server is not asked. */
bool mount_place_is_ours(const struct mount_place *place);

#endif
