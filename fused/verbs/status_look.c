/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/verbs/status_look.h"

#include "common/cleanup.h"
#include "fused/mounts/mounts.h"
#include "fused/process/child.h"
#include "fused/process/clock.h"
#include "fused/serve/status_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS   900
#define PIECE     4096
#define TEXT_MAX  (1 << 20)
#define KILL_WAIT 100

/* Opens a file at the top of the mount on dir; -1 with errno. ENOENT if dir is no mount of vczfs
 * any more: the owner of a directory above it may have replaced it. */
static int open_file(const char *dir, const char *name)
{
    AUTO_CLOSE int top = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (top >= 0 && !mounts_is_ours(top, "")) {
        errno = ENOENT;
        return -1;
    }
    return top < 0 ? -1 : openat(top, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* Runs in a child process, which can be abandoned if the mount hangs. Its exit status is an
 * errno. */
static _Noreturn void copy_out(const char *dir, const char *name, int to)
{
    char piece[PIECE];
    int fd = open_file(dir, name);
    ssize_t n;

    if (fd < 0)
        _exit(errno);
    while ((n = read(fd, piece, sizeof piece)) > 0)
        if (write(to, piece, (size_t)n) != n)
            _exit(errno);
    _exit(n < 0 ? errno : 0);
}

/* Reads until the writer closes its end. False if that takes too long. */
static bool collect(int from, struct buf *out)
{
    const uint64_t end = clock_ms() + WAIT_MS;
    struct pollfd polled = {.fd = from, .events = POLLIN};

    for (;;) {
        const uint64_t now = clock_ms();
        uint8_t *room = buf_reserve(out, PIECE);
        ssize_t n;

        if (now >= end || room == NULL || out->len > TEXT_MAX)
            return false;
        if (poll(&polled, 1, (int)(end - now)) <= 0)
            continue;
        n = read(from, room, PIECE);
        if (n == 0 || (n < 0 && errno != EINTR))
            return n == 0;
        out->len += n > 0 ? (size_t)n : 0;
    }
}

/* Returns 0, or the errno of reading the file; ETIMEDOUT if the mount does not answer. */
static int read_file(const char *dir, const char *name, struct buf *out)
{
    int fds[2], status = 0;
    bool whole;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return errno;
    pid = fork();
    if (pid == 0)
        copy_out(dir, name, fds[1]);
    close(fds[1]);
    whole = pid > 0 && collect(fds[0], out);
    close(fds[0]);
    if (pid < 0)
        return EAGAIN;
    if (!whole)
        kill(pid, SIGKILL);
    if (!child_wait(pid, KILL_WAIT, &status) || !whole || !WIFEXITED(status))
        return ETIMEDOUT;
    return WEXITSTATUS(status);
}

int status_look(const char *path, const char *dir, const char *name, struct buf *out,
                struct err *err)
{
    const int errnum = read_file(path, name, out);

    buf_append_char(out, '\0');
    if (errnum == ETIMEDOUT)
        return err_set(err, ERR_IO, "the mount on '%s' does not answer", dir);
    if (errnum == ENOTCONN)
        return err_set(err, ERR_IO,
                       "the mount on '%s' is dead: its vczfs was killed; 'vczfs unmount' clears it "
                       "away",
                       dir);
    if (errnum != 0)
        return err_sys(err, ERR_IO, errnum, "the mount on '%s'", dir);
    if (out->failed)
        return err_nomem(err, "the status");
    out->len--;
    return 0;
}

/* Finds the text after `"part": {` and then `"key": `. No string value can contain such text,
 * because its quotes would have a backslash before them. */
static const char *find(const char *json, const char *part, const char *key)
{
    char name[64];
    const char *at;

    snprintf(name, sizeof name, "\"%s\": {", part);
    at = strstr(json, name);
    snprintf(name, sizeof name, "\"%s\": ", key);
    at = at != NULL ? strstr(at, name) : NULL;
    return at != NULL ? at + strlen(name) : NULL;
}

double status_look_number(const char *json, const char *part, const char *key, double fallback)
{
    const char *at = find(json, part, key);

    return at != NULL && *at >= '0' && *at <= '9' ? strtod(at, NULL) : fallback;
}

bool status_look_is(const char *json, const char *part, const char *key, const char *value)
{
    const char *at = find(json, part, key);
    const size_t len = strlen(value);

    return at != NULL && at[0] == '"' && strncmp(at + 1, value, len) == 0 && at[1 + len] == '"';
}

pid_t status_look_front(const char *path)
{
    CLEANUP(buf_free) struct buf json = {0};
    struct err ignored;

    if (status_look(path, path, STATUS_NAME_JSON, &json, &ignored) != 0)
        return 0;
    return (pid_t)status_look_number((const char *)json.data, "front", "pid", 0);
}
