/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/process/oom.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CGROUPS "/sys/fs/cgroup"

/* Lines of /proc/PID/cgroup are "0::/path" in version 2 and "4:memory:/path" in version 1. */
static bool find_events(const char *line, char *events, size_t size)
{
    const char *path = strstr(line, ":memory:/");

    if (strncmp(line, "0::/", 4) == 0)
        snprintf(events, size, CGROUPS "%s/memory.events", line + strlen("0::"));
    else if (path != NULL)
        snprintf(events, size, CGROUPS "/memory%s/memory.oom_control", path + strlen(":memory:"));
    else
        return false;
    return access(events, R_OK) == 0;
}

/* Version 1 has "oom_kill 3" among other lines, like version 2. */
static uint64_t count_kills(const char *events)
{
    FILE *file = events[0] != '\0' ? fopen(events, "re") : NULL;
    uint64_t count = 0;
    char line[128];

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        /* NOLINTNEXTLINE(cert-err34-c): the kernel counts in 64 bits */
        if (sscanf(line, "oom_kill %" SCNu64, &count) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return count;
}

void oom_watch(struct oom *oom, pid_t pid)
{
    char name[64], line[PATH_MAX];
    bool found = false;
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/cgroup", (int)pid);
    file = fopen(name, "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = find_events(line, oom->events, sizeof oom->events);
    }
    if (file != NULL)
        fclose(file);
    if (!found)
        oom->events[0] = '\0';
    oom->nkills = count_kills(oom->events);
}

bool oom_happened(struct oom *oom)
{
    const uint64_t before = oom->nkills;

    oom->nkills = count_kills(oom->events);
    return oom->nkills > before;
}
