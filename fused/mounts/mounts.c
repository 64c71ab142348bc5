/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/mounts/mounts.h"

#include "common/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Decodes, in place, the octal escapes of mountinfo, such as \040 for a space. */
static void unescape(char *text)
{
    char *out = text;

    for (; *text != '\0'; text++) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
            text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
            *out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 3;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

/* The user_id of options like "ro,user_id=1000,group_id=1000", the last field of a line. */
static uid_t owner_of(const char *options)
{
    const char *at = strstr(options, "user_id=");

    return at != NULL ? (uid_t)strtoul(at + strlen("user_id="), NULL, 10) : 0;
}

/* Parses a line like "36 35 98:0 /root /mnt/point rw,... shared:1 - ext3 /dev/root rw". Returns its
 * mount point, in line; NULL if it is no such line. */
static const char *parse_line(char *line, struct mount_entry *out)
{
    char *fields[5];
    char *save = NULL;
    char *rest = strstr(line, " - ");

    if (rest == NULL)
        return NULL;
    *rest = '\0';
    for (int i = 0; i < 5; i++)
        if ((fields[i] = strtok_r(i == 0 ? line : NULL, " ", &save)) == NULL)
            return NULL;
    unescape(fields[4]);
    rest += 3;
    out->owner = owner_of(strrchr(rest, ' ') != NULL ? strrchr(rest, ' ') : "");
    rest[strcspn(rest, " ")] = '\0';
    snprintf(out->device, sizeof out->device, "%s", fields[2]);
    snprintf(out->type, sizeof out->type, "%s", rest);
    return fields[4];
}

bool mounts_find(const char *dir, struct mount_entry *out)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    AUTO_FREE char *line = NULL;
    size_t cap = 0;
    bool found = false;

    if (file == NULL)
        return false;
    while (getline(&line, &cap, file) > 0) {
        struct mount_entry entry;
        const char *at = parse_line(line, &entry);

        if (at == NULL || strcmp(at, dir) != 0)
            continue;
        *out = entry; /* the last one is on top */
        found = true;
    }
    fclose(file);
    return found;
}

bool mounts_path(int fd, char path[PATH_MAX])
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, PATH_MAX - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    return true;
}

char *mounts_path_of(int at, const char *name)
{
    char path[PATH_MAX], *whole;

    if (!mounts_path(at, path))
        return NULL;
    if (name[0] == '\0')
        return strdup(path);
    return asprintf(&whole, "%s/%s", strcmp(path, "/") == 0 ? "" : path, name) < 0 ? NULL : whole;
}

bool mounts_find_on(int fd, struct mount_entry *out)
{
    char path[PATH_MAX];

    return mounts_path(fd, path) && mounts_find(path, out);
}

static bool is_of_device(const struct mount_entry *entry, const char *device)
{
    return strcmp(entry->type, MOUNTS_TYPE) == 0 && strcmp(entry->device, device) == 0;
}

char *mounts_where(const char *device)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    AUTO_FREE char *line = NULL;
    size_t cap = 0;
    char *where = NULL;

    if (file == NULL)
        return NULL;
    while (where == NULL && getline(&line, &cap, file) > 0) {
        struct mount_entry entry;
        const char *at = parse_line(line, &entry);

        if (at != NULL && is_of_device(&entry, device) && mounts_find(at, &entry) &&
            is_of_device(&entry, device))
            where = strdup(at);
    }
    fclose(file);
    return where;
}

void mounts_each(void (*visit)(const char *dir, const struct mount_entry *entry, void *arg),
                 void *arg)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    AUTO_FREE char *line = NULL;
    size_t cap = 0;

    if (file == NULL)
        return;
    while (getline(&line, &cap, file) > 0) {
        struct mount_entry entry, top;
        const char *at = parse_line(line, &entry);

        if (at != NULL && mounts_find(at, &top) && is_of_device(&top, entry.device))
            visit(at, &top, arg);
    }
    fclose(file);
}
