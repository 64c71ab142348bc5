/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir_open: opens keys of the directory store.
 *
 * A store may come from anybody. So no key and no link in it may lead out of the directory, unless
 * links are followed, and opening must neither block (FIFO) nor touch a device.
 */
#include "common/cleanup.h"
#include "encoderd/zarr/store/dir_impl.h"
#include "encoderd/zarr/store/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Headers older than Linux 5.12 do not define it, and kernels of that age refuse it. */
#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

int dir_open_walk(int root_fd, const char *key, int flags)
{
    AUTO_CLOSE int dir = -1;
    const char *at = key;

    for (;;) {
        char name[NAME_MAX + 1];
        size_t n = strcspn(at, "/");
        int next;

        if (n > NAME_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, at, n);
        name[n] = '\0';
        if (at[n] == '\0')
            return openat(dir < 0 ? root_fd : dir, name, flags | O_NOFOLLOW);
        next = openat(dir < 0 ? root_fd : dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return -1;
        if (dir >= 0)
            close(dir);
        dir = next;
        at += n + 1;
    }
}

static int open_beneath(int root_fd, const char *key, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd;

    /* EAGAIN means that a rename somewhere in the system interfered. */
    for (int tries = 0; tries < 100; tries++) {
        fd = syscall(SYS_openat2, root_fd, key, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    if (fd < 0 && errno == ENOSYS)
        return dir_open_walk(root_fd, key, flags);
    return (int)fd;
}

/* Fails, usually with EAGAIN, if a disk or another file system would have to be asked. If a kernel
 * before 5.12 or a filter refuses this, it is not tried again. */
static int open_at_once(const struct dir_store *store, const char *key, int flags)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)flags,
                           .resolve = RESOLVE_CACHED | RESOLVE_NO_XDEV};
    atomic_bool *refused = &((struct dir_store *)(uintptr_t)store)->no_cached_open;
    long fd;

    errno = EAGAIN;
    if (atomic_load_explicit(refused, memory_order_relaxed))
        return -1;
    if (!store->follow_links)
        how.resolve |= RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    fd = syscall(SYS_openat2, store->fd, key, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EINVAL || errno == EPERM))
        atomic_store_explicit(refused, true, memory_order_relaxed);
    return (int)fd;
}

int dir_open_key(const struct dir_store *store, const char *key, int flags, bool may_wait)
{
    /* openat2 refuses flags that have no meaning together with O_PATH. */
    flags |= O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NONBLOCK | O_NOCTTY);
    if (!may_wait)
        return open_at_once(store, key, flags);
    return store->follow_links ? openat(store->fd, key, flags)
                               : open_beneath(store->fd, key, flags);
}

/* Is the key a link whose target is missing (git-annex, a store copied in part)? That is not an
 * absent object: its fill value would be shown in place of data. Also true if it may not wait and
 * cannot tell. */
static bool is_dangling(const struct dir_store *store, const char *key, bool may_wait)
{
    char prefix[PATH_MAX];
    size_t n = 0;

    do {
        AUTO_CLOSE int link = -1;
        struct stat st;

        n += n > 0;
        n += strcspn(key + n, "/");
        if (n >= sizeof prefix)
            return false;
        memcpy(prefix, key, n);
        prefix[n] = '\0';
        link = dir_open_key(store, prefix, O_PATH | O_NOFOLLOW, may_wait);
        if (link < 0)
            return !may_wait && errno != ENOENT;
        if (fstat(link, &st) == 0 && S_ISLNK(st.st_mode)) {
            AUTO_CLOSE int target = dir_open_key(store, prefix, O_PATH, may_wait);

            if (target < 0)
                return true;
        }
    } while (key[n] != '\0');
    return false;
}

int dir_open(const struct dir_store *dir, const char *key, int flags, bool may_wait, int *fd,
             struct err *err)
{
    *fd = dir_open_key(dir, key, flags, may_wait);
    if (*fd >= 0)
        return 0;
    switch (errno) {
    case ENOENT:
        if (!is_dangling(dir, key, may_wait))
            return 0;
        return store_fail(&dir->base, key, err, ERR_CORRUPT,
                          "a link to something that does not exist");
    case EXDEV:
    case ELOOP:
        return store_fail(&dir->base, key, err, ERR_CORRUPT,
                          "a link that leads out of the store: follow such links only if you "
                          "trust the store, with --follow-links");
    case ENOTDIR:
    case ENXIO:
    case ENODEV:
        return store_fail(&dir->base, key, err, ERR_CORRUPT,
                          "not a regular file below directories");
    default:
        return store_fail_sys(&dir->base, key, errno, err);
    }
}
