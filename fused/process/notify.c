/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/process/notify.h"

#include "common/cleanup.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* "/run/..." is a file; "@..." is a name in the kernel's abstract namespace. */
int notify_open(const char *path, struct err *err)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t len = path != NULL ? strlen(path) : 0;
    AUTO_CLOSE int fd = -1;

    if (len == 0)
        return -1;
    if ((path[0] != '/' && path[0] != '@') || len >= sizeof addr.sun_path)
        return err_set(err, ERR_USAGE, "NOTIFY_SOCKET is '%s', which no socket is called", path);
    memcpy(addr.sun_path, path, len);
    if (path[0] == '@')
        addr.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&addr,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot reach the service manager at '%s'", path);
    return steal_fd(&fd);
}

void notify_send(int fd, const char *text)
{
    if (fd >= 0)
        send(fd, text, strlen(text), MSG_NOSIGNAL);
}
