/* SPDX-License-Identifier: Apache-2.0 */
#include "common/resolved.h"

#include "common/cleanup.h"
#include "common/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool is_link(int fd)
{
    char first;

    return readlinkat(fd, "", &first, sizeof first) >= 0;
}

int resolved_open(const char *path)
{
    CLEANUP(walk_end) struct walk walk = {.links = WALK_NO_LINKS, .dir = -1};
    AUTO_CLOSE int fd = -1;

    if (walk_to_last(&walk, path) != 0)
        return -1;
    fd = openat(walk.dir, walk.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && is_link(fd)) {
        errno = ELOOP;
        return -1;
    }
    return steal_fd(&fd);
}
