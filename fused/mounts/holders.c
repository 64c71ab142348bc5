/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/mounts/holders.h"

#include "common/printable.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOLDERS_MAX 5

/* Does this link in /proc lead to `path`, or to something below it? */
static bool leads_there(const char *link, const char *path)
{
    const size_t len = strlen(path);
    char target[PATH_MAX];
    ssize_t n = readlink(link, target, sizeof target - 1);

    if (n < 0)
        return false;
    target[n] = '\0';
    return strncmp(target, path, len) == 0 && (target[len] == '\0' || target[len] == '/');
}

static bool has_open_file(const char *pid, const char *path)
{
    char name[64 + NAME_MAX];
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    snprintf(name, sizeof name, "/proc/%s/fd", pid);
    dir = opendir(name);
    while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
        snprintf(name, sizeof name, "/proc/%s/fd/%s", pid, entry->d_name);
        found = leads_there(name, path);
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

static bool is_holder(const char *pid, const char *path)
{
    static const char *const links[] = {"cwd", "root", "exe"};
    char name[64 + NAME_MAX];

    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        snprintf(name, sizeof name, "/proc/%s/%s", pid, links[i]);
        if (leads_there(name, path))
            return true;
    }
    return has_open_file(pid, path);
}

static void append_holder(const char *pid, char *text, size_t size)
{
    char name[64 + NAME_MAX], comm[32] = "";
    size_t len = strlen(text);
    FILE *file;

    snprintf(name, sizeof name, "/proc/%s/comm", pid);
    file = fopen(name, "re");
    if (file != NULL && fgets(comm, sizeof comm, file) != NULL)
        comm[strcspn(comm, "\n")] = '\0';
    if (file != NULL)
        fclose(file);
    printable(comm, strlen(comm));
    snprintf(text + len, size - len, "%s%s (%s)", len > 0 ? ", " : "", pid, comm);
}

void holders_text(const char *path, pid_t front, char *text, size_t size)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    unsigned n = 0;

    text[0] = '\0';
    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            strtol(entry->d_name, NULL, 10) == front || !is_holder(entry->d_name, path))
            continue;
        if (n++ == HOLDERS_MAX) {
            const size_t len = strlen(text);

            snprintf(text + len, size - len, ", and others");
            break;
        }
        append_holder(entry->d_name, text, size);
    }
    if (proc != NULL)
        closedir(proc);
}
