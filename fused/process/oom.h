/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oom: was a process killed for lack of memory? The kernel's killer sends SIGKILL like anybody
 * else; what tells is the count of the process's memory cgroup, of either version. Where there is
 * none, nothing is known.
 */
#ifndef VCZFS_FUSED_PROCESS_OOM_H
#define VCZFS_FUSED_PROCESS_OOM_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where a cgroup counts the processes that it lost so, and how many that were at the last look. */
struct oom {
    char events[PATH_MAX + 64]; /* "": nowhere */
    uint64_t nkills;
};

/* The cgroup that a living process is in. */
void oom_watch(struct oom *oom, pid_t pid);

/* Has it lost any since the last look? */
bool oom_happened(struct oom *oom);

#endif
