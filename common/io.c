/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int io_write_all(int fd, const void *data, size_t n, const char *what, struct err *err)
{
    const uint8_t *at = data;

    while (n > 0) {
        ssize_t put = write(fd, at, n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return err_sys(err, ERR_SYSTEM, put < 0 ? errno : EIO, "cannot write %s", what);
        at += put;
        n -= (size_t)put;
    }
    return 0;
}

/* For Linux before 5.9 or glibc before 2.34, which cannot close a range of descriptors in one
 * call. */
static void close_one_by_one(unsigned lowest)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        const unsigned long fd = strtoul(entry->d_name, NULL, 10);

        if (fd >= lowest && fd <= INT_MAX && (int)fd != dirfd(dir))
            close((int)fd);
    }
    if (dir != NULL)
        closedir(dir);
}

void io_close_from(int lowest)
{
    if (syscall(SYS_close_range, (unsigned)lowest, UINT_MAX, 0) != 0)
        close_one_by_one((unsigned)lowest);
}
