/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oom: was a process killed for lack of memory? The signal does not tell, because the kernel's OOM
 * killer sends an ordinary SIGKILL. The kill counter of the process's memory cgroup (version 1 or
 * 2) does. Without such a cgroup the answer is not known.
 */
#ifndef VCZFS_FUSED_PROCESS_OOM_H
#define VCZFS_FUSED_PROCESS_OOM_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The file in which a cgroup counts its processes that were killed so, and the count at the last
 * look. */
struct oom {
    char events[PATH_MAX + 64]; /* "": nowhere */
    uint64_t nkills;
};

/* Watches the cgroup of a living process. */
void oom_watch(struct oom *oom, pid_t pid);

/* Has the count grown since the last look? */
bool oom_happened(struct oom *oom);

#endif
