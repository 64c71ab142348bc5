#include "fused/verbs.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "fused/child.h"
#include "fused/clock.h"
#include "fused/mounts.h"
#include "fused/status_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS   900
#define PIECE     4096
#define TEXT_MAX  (1 << 20)
#define KILL_WAIT 100

/* In a process of its own, which can be left behind if the mount hangs. Its exit status is an errno. */
static _Noreturn void copy_out(const char *path, int to)
{
    char piece[PIECE];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        _exit(errno);
    while ((n = read(fd, piece, sizeof piece)) > 0)
        if (write(to, piece, (size_t)n) != n)
            _exit(errno);
    _exit(n < 0 ? errno : 0);
}

/* Until the writer has closed its end. false: it takes too long. */
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

/* 0, or the errno of reading path; ETIMEDOUT if nobody answers. */
static int read_status(const char *path, struct buf *out)
{
    int fds[2], status = 0;
    bool whole;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return errno;
    pid = fork();
    if (pid == 0)
        copy_out(path, fds[1]);
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

static int show(const char *dir, bool json, struct err *err)
{
    AUTO_FREE char *path = mounts_canonical(dir, err);
    AUTO_FREE char *file = NULL;
    CLEANUP(buf_free) struct buf text = {0};
    struct mount_entry entry;
    int errnum;

    if (path == NULL)
        return -1;
    if (!mounts_find(path, &entry) || strcmp(entry.type, MOUNTS_TYPE) != 0)
        return err_set(err, ERR_USAGE, "nothing that vczfs mounted is on '%s'", dir);
    if (asprintf(&file, "%s/%s", path, json ? STATUS_NAME_JSON : STATUS_NAME_TEXT) < 0)
        return err_set(err, ERR_MEMORY, "out of memory");
    errnum = read_status(file, &text);
    if (errnum == ETIMEDOUT)
        return err_set(err, ERR_IO, "the mount on '%s' does not answer", dir);
    if (errnum == ENOTCONN)
        return err_set(err, ERR_IO,
                       "the mount on '%s' is dead: its vczfs was killed; 'vczfs unmount' clears it "
                       "away",
                       dir);
    if (errnum != 0)
        return err_sys(err, ERR_IO, errnum, "the mount on '%s'", dir);
    if (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
        return err_set(err, ERR_IO, "cannot write to standard output");
    return 0;
}

int verb_status(const struct options *opt)
{
    struct err err = {0};

    if (show(opt->dir, opt->json, &err) == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "vczfs: %s\n", err.msg);
    return EXIT_FAILURE;
}
