/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which mount a name leads to, and whether that mount is alive. The mount's server is not asked, or
 * only for a limited time.
 */
#include "fused/mounts/mounts.h"

#include "common/cleanup.h"
#include "fused/process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASK_WAIT_MS     1000
#define CHILD_SAYS_DEAD 3

/* ---- a name as mountinfo has it ---- */

static char *join_canonical(const char *parent, const char *name)
{
    AUTO_FREE char *real = realpath(parent, NULL);
    char *joined;

    if (real == NULL)
        return NULL;
    if (asprintf(&joined, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name) < 0)
        return NULL;
    return joined;
}

/* Resolves the parent only and keeps the last name as it is, so that the mount itself is not
 * asked. */
static char *canonical_by_parent(const char *dir)
{
    AUTO_FREE char *copy = strdup(dir);
    char *slash;

    if (copy == NULL)
        return NULL;
    for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
        copy[len - 1] = '\0';
    slash = strrchr(copy, '/');
    if (slash == NULL)
        return join_canonical(".", copy);
    *slash = '\0';
    return join_canonical(slash == copy ? "/" : copy, slash + 1);
}

char *mounts_canonical(const char *dir, struct err *err)
{
    char *path = canonical_by_parent(dir);
    struct mount_entry entry;
    int errnum;

    if (path != NULL && mounts_find(path, &entry))
        return path;
    free(path);
    path = realpath(dir, NULL);
    errnum = errno;
    if (path == NULL)
        err_sys(err, ERR_NOT_FOUND, errnum, "'%s'", dir);
    return path;
}

/* ---- by device ---- */

/* If the kernel cannot tell the device of the mount, finds it by its present path. */
static bool find_device(int at, const char *name, char device[MOUNTS_DEVICE_MAX])
{
    AUTO_FREE char *whole = mounts_path_of(at, name);
    struct mount_entry entry;

    if (whole == NULL || !mounts_find(whole, &entry))
        return false;
    memcpy(device, entry.device, sizeof entry.device);
    return true;
}

static bool device_of(int at, const char *name, char device[MOUNTS_DEVICE_MAX])
{
    struct statx stx;

    /* Called by number, because glibc's replacement on kernels without statx would ask the
     * server. */
    if (syscall(SYS_statx, at, name,
                AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0,
                &stx) != 0)
        return find_device(at, name, device);
    snprintf(device, MOUNTS_DEVICE_MAX, "%u:%u", stx.stx_dev_major, stx.stx_dev_minor);
    return true;
}

bool mounts_is_ours(int at, const char *name)
{
    char device[MOUNTS_DEVICE_MAX];
    AUTO_FREE char *where = device_of(at, name, device) ? mounts_where(device) : NULL;

    return where != NULL;
}

bool mounts_same(int at, const char *name, int other_at, const char *other_name)
{
    char device[MOUNTS_DEVICE_MAX], other[MOUNTS_DEVICE_MAX];

    return device_of(at, name, device) && device_of(other_at, other_name, other) &&
           strcmp(device, other) == 0;
}

/* ---- alive? ---- */

/* Uses statfs, which always reaches the server; stat may be answered from the kernel's cache. */
static _Noreturn void ask_server(const char *dir)
{
    struct statfs st;

    _exit(statfs(dir, &st) != 0 && errno == ENOTCONN ? CHILD_SAYS_DEAD : EXIT_SUCCESS);
}

bool mounts_dead(const char *dir)
{
    pid_t pid = fork();
    int status;

    if (pid < 0)
        return false;
    if (pid == 0)
        ask_server(dir);
    if (child_wait(pid, ASK_WAIT_MS, &status))
        return WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SAYS_DEAD;
    kill(pid, SIGKILL);
    child_wait(pid, ASK_WAIT_MS, &status);
    return false;
}
