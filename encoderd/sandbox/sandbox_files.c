/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_files: Landlock.
 */
#include "common/cleanup.h"
#include "common/resolved.h"
#include "encoderd/sandbox/sandbox_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Rights that are newer than the kernel headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* The ruleset attribute as of ABI 6: files, TCP, and scopes (signals, abstract sockets). */
struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};
#define NETWORK_ALL UINT64_C(3) /* bind and connect TCP */
#define SCOPED_ALL  UINT64_C(3) /* abstract sockets and signals */

/* All file rights that a kernel of this ABI knows: a right that is not handled is not
 * restricted. */
static uint64_t file_rights(long abi)
{
    uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

    if (abi >= 2)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (abi >= 5)
        rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return rights;
}

/* The rights that an older kernel lacks need no substitute: the filter of system calls refuses
 * those calls. -1 with errno. */
static int make_ruleset(void)
{
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    const struct ruleset rules = {file_rights(abi), NETWORK_ALL, SCOPED_ALL};
    const size_t size = abi >= 6   ? sizeof rules
                        : abi >= 4 ? offsetof(struct ruleset, scoped)
                                   : sizeof rules.files;

    if (abi < 1)
        return -1;
    return (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
}

/* Returns 1 if the path could not be allowed, with errno. The front has resolved the path, so a
 * link there now is new, might lead anywhere, and is not followed. */
static int allow_path(int ruleset, const char *path, uint64_t rights, struct err *err)
{
    AUTO_CLOSE int fd = resolved_open(path);
    struct landlock_path_beneath_attr beneath = {.allowed_access = rights, .parent_fd = fd};
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot open %s for the sandbox", path);
    if (!S_ISDIR(st.st_mode))
        beneath.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0;
}

int sandbox_lock_files(const struct sandbox *sandbox, bool *locked, struct buf *missing,
                       struct err *err)
{
    AUTO_CLOSE int ruleset = make_ruleset();
    const int failed =
        ruleset < 0
            ? 1
            : allow_path(ruleset, sandbox->follow_links ? "/" : sandbox->store, RIGHTS_READ, err);

    if (failed < 0)
        return -1;
    *locked = failed == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    /* errno says whether the kernel has no Landlock, or a container's filter hides it */
    if (!*locked)
        sandbox_lacks(missing, "it can read what its user can (no Landlock: %s)", strerror(errno));
    return 0;
}
