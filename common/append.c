#include "common/append.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FLAGS     (O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC)
#define MODE      0644
#define LINKS_MAX 40 /* as the kernel has it */

/* A path on its way from a directory that is held. */
struct walk {
    int dir; /* owned */
    char rest[PATH_MAX];
    unsigned nlinks;
    bool make;  /* directories that are missing */
    off_t most; /* a longer file is put aside; 0: any may be */
};

/* The next name of it, in out; *last says whether that is all. -1 with errno. */
static int take_name(struct walk *walk, char out[NAME_MAX + 1], bool *last)
{
    const char *at = walk->rest + strspn(walk->rest, "/");
    const size_t n = strcspn(at, "/");
    const char *more = at + n + strspn(at + n, "/");

    if (n == 0 || n > NAME_MAX) {
        errno = n == 0 ? EISDIR : ENAMETOOLONG;
        return -1;
    }
    memcpy(out, at, n);
    out[n] = '\0';
    *last = *more == '\0';
    memmove(walk->rest, more, strlen(more) + 1);
    return 0;
}

/* From where a path begins. */
static int begin(struct walk *walk, const char *path)
{
    if (path[0] == '/' || walk->dir < 0) {
        if (walk->dir >= 0)
            close(walk->dir);
        walk->dir = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    return walk->dir < 0 ? -1 : 0;
}

/* Ours, or root's. */
static bool is_own(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Goes on with what the link `fd` says. */
static int follow(struct walk *walk, int fd, const struct stat *st)
{
    char target[PATH_MAX], path[2 * PATH_MAX];
    const ssize_t n = readlinkat(fd, "", target, sizeof target - 1);
    int length;

    if (n < 0)
        return -1;
    target[n] = '\0';
    if (!is_own(st) || ++walk->nlinks > LINKS_MAX) {
        errno = is_own(st) ? ELOOP : EPERM;
        return -1;
    }
    length = snprintf(path, sizeof path, "%s/%s", target, walk->rest);
    if (length < 0 || (size_t)length >= sizeof walk->rest) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(walk->rest, path, (size_t)length + 1);
    return begin(walk, target);
}

/* /dev/stderr leads to /proc/self/fd/2, a link without a path behind it. */
static bool is_of_proc(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* With a name of its own the file is not written to any more. */
static void put_aside(const struct walk *walk, const char *name)
{
    char old[NAME_MAX + 1];

    if ((size_t)snprintf(old, sizeof old, "%s.1", name) < sizeof old)
        renameat(walk->dir, name, walk->dir, old);
}

/* Another name of the file may be one that matters: who may write to the directory can have made a hard link to any file. */
static bool is_another_too(const struct walk *walk, int fd)
{
    struct stat st, dir;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink == 1)
        return false;
    return fstat(walk->dir, &dir) != 0 || !is_own(&dir) || (dir.st_mode & 022) != 0;
}

static int open_last(const struct walk *walk, const char *name, bool link)
{
    AUTO_CLOSE int fd = openat(walk->dir, name, FLAGS | (link ? 0 : O_NOFOLLOW), MODE);

    if (fd >= 0 && is_another_too(walk, fd)) {
        errno = EPERM;
        return -1;
    }
    return steal_fd(&fd);
}

static int open_next(const struct walk *walk, const char *name, bool last)
{
    const int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    const int fd = openat(walk->dir, name, flags);

    if (fd >= 0 || errno != ENOENT || last || !walk->make)
        return fd;
    if (mkdirat(walk->dir, name, 0755) != 0 && errno != EEXIST)
        return -1;
    return openat(walk->dir, name, flags);
}

/* 1: there is more to go; else the descriptor, or -1 with errno. */
static int step(struct walk *walk, int *opened)
{
    char name[NAME_MAX + 1];
    AUTO_CLOSE int fd = -1;
    struct stat st;
    bool last;

    *opened = -1;
    if (take_name(walk, name, &last) != 0)
        return -1;
    fd = open_next(walk, name, last);
    if (fd < 0 && !(last && errno == ENOENT))
        return -1;
    if (fd >= 0 && fstat(fd, &st) != 0)
        return -1;
    if (fd >= 0 && S_ISLNK(st.st_mode) && !(last && is_of_proc(fd)))
        return follow(walk, fd, &st) != 0 ? -1 : 1;
    if (last) {
        if (fd >= 0 && walk->most > 0 && S_ISREG(st.st_mode) && st.st_size > walk->most)
            put_aside(walk, name);
        *opened = open_last(walk, name, fd >= 0 && S_ISLNK(st.st_mode));
        return *opened < 0 ? -1 : 0;
    }
    close(walk->dir);
    walk->dir = steal_fd(&fd);
    return 1;
}

static int open_by_steps(const char *path, bool make, off_t most)
{
    struct walk walk = {.dir = -1, .make = make, .most = most};
    int more = -1, fd = -1;

    if (strlen(path) >= sizeof walk.rest) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(walk.rest, path);
    if (begin(&walk, path) == 0)
        do
            more = step(&walk, &fd);
        while (more > 0);
    if (walk.dir >= 0) {
        const int why = errno;

        close(walk.dir);
        errno = why;
    }
    return fd;
}

/* And not merely called so in a user namespace, where whatever is not mapped is nobody's. */
static bool is_root(void)
{
    FILE *map = geteuid() == 0 ? fopen("/proc/self/uid_map", "re") : NULL;
    unsigned inside = 0, outside = 0, n = UINT_MAX;

    if (map == NULL)
        return geteuid() == 0;
    if (fscanf(map, "%u %u %u", &inside, &outside, &n) != 3)
        n = UINT_MAX;
    fclose(map);
    return inside == 0 && outside == 0 && n == UINT_MAX;
}

int append_open(const char *path)
{
    return is_root() ? open_by_steps(path, false, 0) : open(path, FLAGS, MODE);
}

int append_open_made(const char *path, off_t most)
{
    return open_by_steps(path, true, most);
}
