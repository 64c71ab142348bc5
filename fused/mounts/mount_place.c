/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/mounts/mount_place.h"

#include "common/cleanup.h"
#include "common/resolved.h"
#include "common/walk.h"
#include "fused/mounts/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int refuse_link(const struct walk *walk, const char *dir, struct err *err)
{
    AUTO_FREE char *link = mounts_path_of(walk->dir, walk->name);
    struct stat st;
    bool own;

    if (fstatat(walk->dir, walk->name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(st.st_mode))
        return err_sys(err, ERR_NOT_FOUND, EPERM, "'%s'", dir);
    own = st.st_uid == 0 || st.st_uid == geteuid();
    return err_set(err, ERR_USAGE,
                   "'%s': '%s' is a symbolic link of user %u%s, and could lead to another mount at "
                   "any moment: give the path without it (realpath says which that is)",
                   dir, link != NULL ? link : walk->name, (unsigned)st.st_uid,
                   own ? ", below a directory of others" : "");
}

/* For a path that ends with a dot: finds the name of the directory in the one above it. */
static int hold_above(int dir, struct mount_place *out)
{
    char path[PATH_MAX];
    char *slash = mounts_path(dir, path) ? strrchr(path, '/') : NULL;

    if (slash == NULL || strlen(slash + 1) > NAME_MAX) {
        errno = ENOENT;
        return -1;
    }
    strcpy(out->name, slash[1] != '\0' ? slash + 1 : ".");
    slash[1] = '\0';
    out->above = resolved_open(path);
    if (out->above >= 0 && !mounts_same(dir, "", out->above, out->name))
        errno = ENOENT;
    else if (out->above >= 0)
        return 0;
    return -1;
}

static int hold(struct walk *walk, struct mount_place *out)
{
    AUTO_CLOSE int there = -1;

    if (strcmp(walk->name, ".") == 0)
        return hold_above(walk->dir, out);
    strcpy(out->name, walk->name);
    out->above = steal_fd(&walk->dir);
    there = openat(out->above, out->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return there < 0 ? -1 : 0;
}

int mount_place_hold(const char *dir, struct mount_place *out, struct err *err)
{
    CLEANUP(walk_end) struct walk walk = {.links = WALK_SAFE_LINKS, .dir = -1};

    *out = (struct mount_place){.above = -1};
    if (walk_to_last(&walk, dir) != 0)
        return errno == EPERM ? refuse_link(&walk, dir, err)
                              : err_sys(err, ERR_NOT_FOUND, errno, "'%s'", dir);
    if (hold(&walk, out) != 0) {
        err_sys(err, ERR_NOT_FOUND, errno, "'%s'", dir);
        mount_place_free(out);
        return -1;
    }
    snprintf(out->by, sizeof out->by, "/proc/self/fd/%d/%s", out->above, out->name);
    out->path = mounts_path_of(out->above, out->name);
    if (out->path != NULL)
        return 0;
    mount_place_free(out);
    return err_set(err, ERR_SYSTEM, "'%s': nobody can say where that is", dir);
}

void mount_place_free(struct mount_place *place)
{
    if (place->above >= 0)
        close(place->above);
    free(place->path);
    *place = (struct mount_place){.above = -1};
}

bool mount_place_is_ours(const struct mount_place *place)
{
    return mounts_is_ours(place->above, place->name);
}
