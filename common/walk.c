/* SPDX-License-Identifier: Apache-2.0 */
#include "common/walk.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef FUSE_SUPER_MAGIC /* not in older headers */
#define FUSE_SUPER_MAGIC 0x65735546
#endif

#define LINKS_MAX   40    /* as the kernel has it */
#define UID_UNKNOWN 65534 /* shown for users without a number here */

/* Only the first user namespace knows all users. In another one, a user that is not mapped has the
 * number UID_UNKNOWN. */
static bool knows_all_users(void)
{
    FILE *map = fopen("/proc/self/uid_map", "re");
    unsigned inside = 0, outside = 0, n = UINT_MAX;

    if (map == NULL)
        return true;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's users are 32 bits */
    if (fscanf(map, "%u %u %u", &inside, &outside, &n) != 3)
        n = UINT_MAX;
    fclose(map);
    return inside == 0 && outside == 0 && n == UINT_MAX;
}

bool walk_is_root(void)
{
    return geteuid() == 0 && knows_all_users();
}

/* Is the owner that `st` names only a claim? The server of a FUSE file system can report any owner.
 * The file system of the root directory is trusted, because root has mounted it. */
static bool is_hearsay(int fd, const struct stat *st)
{
    struct statfs fs;
    struct stat root;

    if (fstatfs(fd, &fs) != 0)
        return true;
    return (unsigned long)fs.f_type == FUSE_SUPER_MAGIC &&
           (stat("/", &root) != 0 || root.st_dev != st->st_dev);
}

/* Ours, or root's. */
static bool is_own(int fd, const struct stat *st)
{
    if (is_hearsay(fd, st))
        return false;
    return st->st_uid == 0 || st->st_uid == geteuid() ||
           (st->st_uid == UID_UNKNOWN && !knows_all_users());
}

/* May other users replace the files of this directory? A directory of an ordinary user may be
 * writable for its group: often that user is the only member. */
static bool is_exposed(int dir)
{
    struct stat st;

    if (fstat(dir, &st) != 0 || !is_own(dir, &st))
        return true;
    if ((st.st_mode & S_ISVTX) != 0)
        return false;
    return (st.st_mode & (st.st_uid != 0 ? S_IWOTH : S_IWGRP | S_IWOTH)) != 0;
}

static bool may_follow(const struct walk *walk, int link)
{
    struct stat st;

    if (fstat(link, &st) != 0 || !is_own(link, &st))
        return false;
    return walk->links == WALK_OWN_LINKS || !(walk->exposed || is_exposed(walk->dir));
}

/* Sets what is left to walk: `path`, then `more`. */
static int go_on(struct walk *walk, const char *path, const char *more)
{
    char joined[2 * PATH_MAX];
    const int length = snprintf(joined, sizeof joined, "%s/%s", path, more);

    if (length < 0 || (size_t)length >= sizeof walk->rest) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(walk->rest, joined, (size_t)length + 1);
    if (path[0] == '/' || walk->dir < 0) {
        if (walk->dir >= 0)
            close(walk->dir);
        walk->dir = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    return walk->dir < 0 ? -1 : 0;
}

static int follow(struct walk *walk, int link, const char *target)
{
    char more[PATH_MAX];

    if (walk->links == WALK_NO_LINKS || ++walk->nlinks > LINKS_MAX) {
        errno = ELOOP;
        return -1;
    }
    if (!may_follow(walk, link)) {
        errno = EPERM;
        return -1;
    }
    memcpy(more, walk->rest, strlen(walk->rest) + 1);
    return go_on(walk, target, more);
}

/* Takes the next name of the path; *last says whether it is the last one. -1 with errno. */
static int take_name(struct walk *walk, bool *last)
{
    const char *at = walk->rest + strspn(walk->rest, "/");
    const size_t n = strcspn(at, "/");
    const char *more = at + n + strspn(at + n, "/");

    if (n > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(walk->name, n > 0 ? at : ".", n > 0 ? n : 1);
    walk->name[n > 0 ? n : 1] = '\0';
    *last = *more == '\0';
    memmove(walk->rest, more, strlen(more) + 1);
    return 0;
}

/* Every name but the last is opened as a directory, because that makes an automount mount it. */
static int open_name(const struct walk *walk, bool last)
{
    const int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(walk->dir, walk->name, flags | (last ? 0 : O_DIRECTORY));

    if (fd < 0 && errno == ENOENT && !last && walk->make) {
        if (mkdirat(walk->dir, walk->name, 0755) != 0 && errno != EEXIST)
            return -1;
        fd = openat(walk->dir, walk->name, flags | O_DIRECTORY);
    }
    return fd < 0 && errno == ENOTDIR && !last ? openat(walk->dir, walk->name, flags) : fd;
}

static bool is_of_proc(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Goes on in `dir`, and remembers whether others can change the directory that it was found in. It
 * matters only to root: an ordinary user can replace a directory by another of the same user, but
 * not by one of root's. */
static void enter(struct walk *walk, int dir)
{
    if (walk->links == WALK_SAFE_LINKS && geteuid() == 0)
        walk->exposed = walk->exposed || is_exposed(walk->dir);
    close(walk->dir);
    walk->dir = dir;
}

/* Walks one name: 1 if there is more to walk, 0 if walk->name is the last one, -1 with errno. */
static int step(struct walk *walk)
{
    AUTO_CLOSE int fd = -1;
    char target[PATH_MAX];
    ssize_t n;
    bool last;

    if (take_name(walk, &last) != 0)
        return -1;
    if (strcmp(walk->name, ".") == 0)
        return last ? 0 : 1;
    fd = open_name(walk, last);
    if (fd < 0)
        return last && errno == ENOENT ? 0 : -1;
    n = readlinkat(fd, "", target,
                   sizeof target - 1); /* fstat would ask a FUSE server; this does not */
    walk->magic = n >= 0 && last && walk->links == WALK_OWN_LINKS && is_of_proc(fd);
    if (n >= 0 && !walk->magic) {
        target[n] = '\0';
        return follow(walk, fd, target) != 0 ? -1 : 1;
    }
    if (last && strcmp(walk->name, "..") != 0)
        return 0;
    enter(walk, steal_fd(&fd));
    strcpy(walk->name, ".");
    return last ? 0 : 1;
}

int walk_to_last(struct walk *walk, const char *path)
{
    int more;

    if (path[0] == '\0') {
        errno = ENOENT;
        return -1;
    }
    if (go_on(walk, path, "") != 0)
        return -1;
    do
        more = step(walk);
    while (more > 0);
    return more;
}

void walk_end(struct walk *walk)
{
    const int why = errno;

    if (walk->dir >= 0)
        close(walk->dir);
    walk->dir = -1;
    errno = why;
}
