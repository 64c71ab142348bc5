/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unmounting, with umount2 or fusermount3, through the directory above the mount, after checking
 * which mount it is.
 */
#include "fused/mounts/mounts.h"

#include "common/cleanup.h"
#include "common/resolved.h"
#include "fused/process/child.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- fusermount3 ---- */

/* Starts fusermount3 in the directory above the mount. Returns an errno. */
static int start_fusermount(int above, const char *name, bool lazy, pid_t *pid)
{
    char here[NAME_MAX + 3];
    const char *argv[] = {"fusermount3", "-u", lazy ? "-z" : "-q", "--", here, NULL};
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t actions;
    int rc = posix_spawnattr_init(&attr);

    if (rc != 0)
        return rc;
    snprintf(here, sizeof here, "./%s", name);
    rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0) {
        if ((rc = child_attributes(&attr, 0)) == 0 &&
            (rc = posix_spawn_file_actions_addfchdir_np(&actions, above)) == 0)
            rc = posix_spawnp(pid, argv[0], &actions, &attr, (char *const *)(uintptr_t)argv,
                              environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attr);
    return rc;
}

static int run_fusermount(int above, const char *name, const char *dir, bool lazy, struct err *err)
{
    pid_t pid;
    int status;
    const int rc = start_fusermount(above, name, lazy, &pid);

    if (rc != 0)
        return err_sys(err, ERR_SYSTEM, rc,
                       "cannot run fusermount3 (install it: apt-get install fuse3)");
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_sys(err, ERR_SYSTEM, errno, "fusermount3");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return err_set(err, ERR_IO, "fusermount3 could not unmount '%s'", dir);
}

/* Asks fusermount3, which unmounts for a user what that user has mounted. */
static int ask_fusermount(int above, const char *name, const char *dir, bool lazy, struct err *err)
{
    struct mount_entry entry;

    if (mounts_find(dir, &entry) && entry.owner != geteuid())
        return err_set(err, ERR_SYSTEM, "cannot unmount '%s': another user has mounted it", dir);
    return run_fusermount(above, name, dir, lazy, err);
}

/* ---- any way ---- */

/* What is unmounted is what was checked, because the directory above is kept open, and a name in it
 * that is a mount point can be neither removed nor renamed. */
static int unmount_held(int above, const char *name, int flags)
{
    char path[64 + NAME_MAX];

    if (!mounts_is_ours(above, name)) {
        errno = EXDEV;
        return -1;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", above, name);
    return umount2(path, flags);
}

int mounts_unmount(const char *dir, bool lazy, struct err *err)
{
    const char *slash = strrchr(dir, '/');
    AUTO_FREE char *parent = slash != NULL ? strndup(dir, (size_t)(slash - dir) + 1) : NULL;
    AUTO_CLOSE int above = -1;

    if (parent == NULL || strlen(slash + 1) > NAME_MAX)
        return err_sys(err, ERR_SYSTEM, EINVAL, "cannot unmount '%s'", dir);
    above = resolved_open(parent); /* a link that is there by now could lead to another mount */
    if (above < 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot unmount '%s'", dir);
    return mounts_unmount_at(above, slash + 1, dir, lazy, err);
}

int mounts_unmount_at(int above, const char *name, const char *dir, bool lazy, struct err *err)
{
    if (unmount_held(above, name, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0)
        return 0;
    if (errno == EXDEV)
        return err_set(err, ERR_USAGE, "nothing that vczfs mounted is on '%s'", dir);
    if (errno == EPERM && geteuid() != 0)
        return ask_fusermount(above, name, dir, lazy, err);
    if (errno == EBUSY)
        return err_set(err, ERR_IO, "'%s' is in use", dir);
    return err_sys(err, ERR_SYSTEM, errno, "cannot unmount '%s'", dir);
}
