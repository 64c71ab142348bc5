/* SPDX-License-Identifier: Apache-2.0 */
#include "common/open_files.h"

#include "common/size.h"

#include <errno.h>
#include <sys/resource.h>

int open_files_raise(uint64_t wanted, struct err *err)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot get the limit of open files");
    if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = size_min(wanted, limit.rlim_max);
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= OPEN_FILES_LEAST)
        return 0;
    return err_set(err, ERR_SYSTEM,
                   "%llu open files are allowed, and %d are needed: raise the limit (ulimit -n, "
                   "LimitNOFILE=)",
                   (unsigned long long)limit.rlim_cur, OPEN_FILES_LEAST);
}

unsigned open_files_threads(unsigned wanted)
{
    struct rlimit limit;
    uint64_t room;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    room = limit.rlim_cur > OPEN_FILES_BASE ? (limit.rlim_cur - OPEN_FILES_BASE) / OPEN_FILES_THREAD
                                            : 0;
    return (unsigned)size_max(1, size_min(wanted, room));
}
