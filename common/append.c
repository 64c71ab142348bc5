/* SPDX-License-Identifier: Apache-2.0 */
#include "common/append.h"

#include "common/cleanup.h"
#include "common/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAGS (O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC)
#define MODE  0644

/* Renames the file to `name`.1, so that nothing more is written to it. */
static void put_aside(const struct walk *walk)
{
    char old[NAME_MAX + 1];

    if ((size_t)snprintf(old, sizeof old, "%s.1", walk->name) < sizeof old)
        renameat(walk->dir, walk->name, walk->dir, old);
}

static bool is_longer(const struct walk *walk, off_t most)
{
    struct stat st;

    return fstatat(walk->dir, walk->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           st.st_size > most;
}

/* Has the file another name that could matter? Any user who may write to the directory could have
 * made a hard link there to an important file. */
static bool is_another_too(const struct walk *walk, int fd)
{
    struct stat st, dir;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink == 1)
        return false;
    return fstat(walk->dir, &dir) != 0 || (dir.st_uid != 0 && dir.st_uid != geteuid()) ||
           (dir.st_mode & 022) != 0;
}

/* Opens the file after putting it aside if it is longer than `most`. With most 0 it is never put
 * aside. */
static int open_by_steps(const char *path, bool make, off_t most)
{
    CLEANUP(walk_end) struct walk walk = {.links = WALK_OWN_LINKS, .make = make, .dir = -1};
    AUTO_CLOSE int fd = -1;

    if (walk_to_last(&walk, path) != 0)
        return -1;
    if (most > 0 && is_longer(&walk, most))
        put_aside(&walk);
    fd = openat(walk.dir, walk.name, FLAGS | (walk.magic ? 0 : O_NOFOLLOW), MODE);
    if (fd >= 0 && is_another_too(&walk, fd)) {
        errno = EPERM;
        return -1;
    }
    return steal_fd(&fd);
}

int append_open(const char *path)
{
    return walk_is_root() ? open_by_steps(path, false, 0) : open(path, FLAGS, MODE);
}

int append_open_made(const char *path, off_t most)
{
    return open_by_steps(path, true, most);
}
