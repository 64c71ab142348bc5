/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/mounts/mounts.h"

#include "common/cleanup.h"
#include "common/resolved.h"
#include "fused/process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#define ASK_WAIT_MS     1000
#define CHILD_SAYS_DEAD 3

extern char **environ;

/* Spaces and such stand as \040 in mountinfo; undone in place. */
static void unescape(char *text)
{
    char *out = text;

    for (; *text != '\0'; text++) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
            text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
            *out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 3;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

/* "ro,user_id=1000,group_id=1000": the last of a line's fields. */
static uid_t owner_of(const char *options)
{
    const char *at = strstr(options, "user_id=");

    return at != NULL ? (uid_t)strtoul(at + strlen("user_id="), NULL, 10) : 0;
}

/* "36 35 98:0 /root /mnt/point rw,... shared:1 - ext3 /dev/root rw". Where it is, in line; NULL if
 * it is no such line. */
static const char *parse_line(char *line, struct mount_entry *out)
{
    char *fields[5];
    char *save = NULL;
    char *rest = strstr(line, " - ");

    if (rest == NULL)
        return NULL;
    *rest = '\0';
    for (int i = 0; i < 5; i++)
        if ((fields[i] = strtok_r(i == 0 ? line : NULL, " ", &save)) == NULL)
            return NULL;
    unescape(fields[4]);
    rest += 3;
    out->owner = owner_of(strrchr(rest, ' ') != NULL ? strrchr(rest, ' ') : "");
    rest[strcspn(rest, " ")] = '\0';
    snprintf(out->device, sizeof out->device, "%s", fields[2]);
    snprintf(out->type, sizeof out->type, "%s", rest);
    return fields[4];
}

bool mounts_find(const char *dir, struct mount_entry *out)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    AUTO_FREE char *line = NULL;
    size_t cap = 0;
    bool found = false;

    if (file == NULL)
        return false;
    while (getline(&line, &cap, file) > 0) {
        struct mount_entry entry;
        const char *at = parse_line(line, &entry);

        if (at == NULL || strcmp(at, dir) != 0)
            continue;
        *out = entry; /* the last one is on top */
        found = true;
    }
    fclose(file);
    return found;
}

bool mounts_path(int fd, char path[PATH_MAX])
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, PATH_MAX - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    return true;
}

char *mounts_path_of(int at, const char *name)
{
    char path[PATH_MAX], *whole;

    if (!mounts_path(at, path))
        return NULL;
    if (name[0] == '\0')
        return strdup(path);
    return asprintf(&whole, "%s/%s", strcmp(path, "/") == 0 ? "" : path, name) < 0 ? NULL : whole;
}

bool mounts_find_on(int fd, struct mount_entry *out)
{
    char path[PATH_MAX];

    return mounts_path(fd, path) && mounts_find(path, out);
}

static bool is_of_device(const struct mount_entry *entry, const char *device)
{
    return strcmp(entry->type, MOUNTS_TYPE) == 0 && strcmp(entry->device, device) == 0;
}

char *mounts_where(const char *device)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    AUTO_FREE char *line = NULL;
    size_t cap = 0;
    char *where = NULL;

    if (file == NULL)
        return NULL;
    while (where == NULL && getline(&line, &cap, file) > 0) {
        struct mount_entry entry;
        const char *at = parse_line(line, &entry);

        if (at != NULL && is_of_device(&entry, device) && mounts_find(at, &entry) &&
            is_of_device(&entry, device))
            where = strdup(at);
    }
    fclose(file);
    return where;
}

void mounts_each(void (*visit)(const char *dir, const struct mount_entry *entry, void *arg),
                 void *arg)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    AUTO_FREE char *line = NULL;
    size_t cap = 0;

    if (file == NULL)
        return;
    while (getline(&line, &cap, file) > 0) {
        struct mount_entry entry, top;
        const char *at = parse_line(line, &entry);

        if (at != NULL && mounts_find(at, &top) && is_of_device(&top, entry.device))
            visit(at, &top, arg);
    }
    fclose(file);
}

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

/* The parent is resolved and the last name is taken as it stands: nothing asks the mount itself. */
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

/* statfs always reaches the server; stat may be answered from what the kernel remembers. */
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

/* Started in the directory above. Returns an errno. */
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

/* fusermount3 unmounts for a user what that user has mounted. */
static int ask_fusermount(int above, const char *name, const char *dir, bool lazy, struct err *err)
{
    struct mount_entry entry;

    if (mounts_find(dir, &entry) && entry.owner != geteuid())
        return err_set(err, ERR_SYSTEM, "cannot unmount '%s': another user has mounted it", dir);
    return run_fusermount(above, name, dir, lazy, err);
}

/* Where the kernel cannot tell, by where it is now. */
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

    /* By syscall(2): what glibc does where there is no statx asks the server. */
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

/* The directory above is held while it is looked and unmounted, and one name in it that is a mount
 * point can be neither removed nor renamed: what is unmounted is what was looked at. */
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
    above = resolved_open(parent); /* a link there now would lead to another mount */
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
