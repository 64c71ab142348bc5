/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/file.h"

#include "common/size.h"
#include "encoderd/zarr/store/damaged.h"
#include "encoderd/zarr/store/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

/* What is told to the system of one file at a time. The caller's guess rests on what other files
 * hold, and a store may lie there. */
#define EXPECTED_MAX ((uint64_t)2 << 20)
#define PAGE_NBYTES  UINT64_C(4096) /* or a multiple, in which case an advice covers more */
/* Not in linux/magic.h. */
#define ZFS_SUPER_MAGIC    0x2fc12fc1
#define LUSTRE_SUPER_MAGIC 0x0bd00bd0
#define GPFS_SUPER_MAGIC   0x47504653
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* Only file systems that are known to ask no server; others might. */
enum at_once file_at_once(int fd)
{
    static const unsigned long cached[] = {
        EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
        F2FS_SUPER_MAGIC, SQUASHFS_MAGIC,  ZFS_SUPER_MAGIC,
    };
    struct statfs fs;

    if (fstatfs(fd, &fs) != 0)
        return AT_ONCE_NOTHING;
    if ((unsigned long)fs.f_type == TMPFS_MAGIC)
        return AT_ONCE_ALL;
    for (size_t i = 0; i < sizeof cached / sizeof cached[0]; i++)
        if ((unsigned long)fs.f_type == cached[i])
            return AT_ONCE_CACHED;
    return AT_ONCE_NOTHING;
}

bool file_is_far(int fd)
{
    static const uint32_t served[] = {
        NFS_SUPER_MAGIC,  FUSE_SUPER_MAGIC,   CEPH_SUPER_MAGIC, CIFS_SUPER_MAGIC,
        SMB2_SUPER_MAGIC, LUSTRE_SUPER_MAGIC, GPFS_SUPER_MAGIC, AFS_FS_MAGIC,
    };
    struct statfs fs;

    if (fstatfs(fd, &fs) != 0)
        return false;
    for (size_t i = 0; i < sizeof served / sizeof served[0]; i++)
        if ((uint32_t)fs.f_type == served[i])
            return true;
    return false;
}

/* Does the system keep in memory what it reads of the file? A FUSE server may forbid that
 * (direct_io); then reading the same bytes twice would ask it twice. Such a file cannot be mapped
 * as shared. */
static bool is_kept(int fd)
{
    void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);

    return page != MAP_FAILED && munmap(page, 1) == 0;
}

void file_expect(const struct store *store, int fd, uint64_t offset, uint64_t n)
{
    uint64_t at = offset / PAGE_NBYTES * PAGE_NBYTES;

    n = size_min(n, EXPECTED_MAX);
    if (atomic_load_explicit(&store->at_once, memory_order_relaxed) != AT_ONCE_NOTHING || n == 0 ||
        !size_range_ok(offset, n, INT64_MAX) || !is_kept(fd))
        return;
    /* The system follows each advice for a limited number of pages only, so there are several. */
    for (; at < offset + n; at += FILE_PART)
        posix_fadvise(fd, (off_t)at, (off_t)size_min(offset + n - at, FILE_PART),
                      POSIX_FADV_WILLNEED);
}

static int cut_short(const struct store *store, const char *key, uint64_t at, struct err *err)
{
    return store_fail(store, key, err, ERR_CORRUPT,
                      "ends at byte %llu, in the middle of its data: " DAMAGED,
                      (unsigned long long)at);
}

/* True for the errors of old kernels, of some file systems, and of filters without preadv2. It is
 * not tried again then. */
static bool cannot_tell(int errnum)
{
    return errnum == EOPNOTSUPP || errnum == ENOSYS || errnum == EPERM || errnum == EINVAL;
}

/* Like pread, but returns 0 if it would have to wait. */
static ssize_t read_cached(const struct store *store, int fd, void *to, size_t n, uint64_t offset)
{
    atomic_uint *at_once = &((struct store *)(uintptr_t)store)->at_once;
    struct iovec iov = {to, n};
    ssize_t got;

    if (atomic_load_explicit(at_once, memory_order_relaxed) == AT_ONCE_ALL)
        return pread(fd, to, n, (off_t)offset);
    if (atomic_load_explicit(at_once, memory_order_relaxed) == AT_ONCE_NOTHING)
        return 0;
    got = preadv2(fd, &iov, 1, (off_t)offset, RWF_NOWAIT);
    if (got < 0 && cannot_tell(errno))
        atomic_store_explicit(at_once, AT_ONCE_NOTHING, memory_order_relaxed);
    return got;
}

static enum got read_at_once(const struct store *store, int fd, uint64_t offset, uint8_t *to,
                             size_t n)
{
    while (n > 0) {
        const ssize_t got = read_cached(store, fd, to, n, offset);

        if (got <= 0)
            return GOT_NOT_NOW;
        to += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return GOT_IT;
}

enum got file_read(const struct store *store, int fd, const char *key, uint64_t offset, void *to,
                   size_t n, bool may_wait, struct err *err)
{
    uint8_t *at = to;

    if (!size_range_ok(offset, n, INT64_MAX))
        return (enum got)cut_short(store, key, offset, err);
    if (!may_wait)
        return read_at_once(store, fd, offset, to, n);
    while (n > 0) {
        const ssize_t got = pread(fd, at, n, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return (enum got)store_fail_sys(store, key, errno, err);
        if (got == 0)
            return (enum got)cut_short(store, key, offset, err);
        at += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return GOT_IT;
}
