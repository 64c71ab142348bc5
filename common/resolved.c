#include "common/resolved.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static bool is_link(int fd)
{
    struct stat st;

    return fstat(fd, &st) != 0 || S_ISLNK(st.st_mode);
}

/* The n bytes of `name` in the directory. All but the last are asked to be directories, which mounts what is to be
 * mounted there on demand. */
static int step(int at, const char *name, size_t n, bool last)
{
    char copy[NAME_MAX + 1];
    AUTO_CLOSE int fd = -1;

    if (n > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(copy, name, n);
    copy[n] = '\0';
    fd = openat(at, copy, O_PATH | O_NOFOLLOW | O_CLOEXEC | (last ? 0 : O_DIRECTORY));
    if (fd >= 0 && is_link(fd)) {
        errno = ELOOP;
        return -1;
    }
    return steal_fd(&fd);
}

int resolved_open(const char *path)
{
    int at = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    path += strspn(path, "/");
    while (at >= 0 && path[0] != '\0') {
        const size_t n = strcspn(path, "/"), gap = strspn(path + n, "/");
        const int next = step(at, path, n, path[n + gap] == '\0');
        const int why = errno;

        close(at);
        errno = why;
        at = next;
        path += n + gap;
    }
    return at;
}
