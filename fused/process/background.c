/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/process/background.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool read_ready(int fd)
{
    char byte;
    ssize_t n;

    do
        n = read(fd, &byte, 1);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

/* Only a stat by a process that does not serve the mount shows that the mount works. */
static bool mount_answers(const char *dir, dev_t before)
{
    struct stat st;

    if (dir == NULL)
        return true;
    if (stat(dir, &st) != 0) {
        fprintf(stderr, "vczfs: the mount on '%s' does not answer: %s\n", dir, strerror(errno));
        return false;
    }
    if (st.st_dev == before) {
        fprintf(stderr, "vczfs: nothing is mounted on '%s'\n", dir);
        return false;
    }
    return true;
}

static void wait_for_child(pid_t pid, int fd, const char *dir, dev_t before)
{
    int status;

    if (read_ready(fd))
        exit(mount_answers(dir, before) ? EXIT_SUCCESS : EXIT_FAILURE);
    /* The child has said why on stderr, unless it was killed. */
    if (waitpid(pid, &status, 0) != pid)
        exit(EXIT_FAILURE);
    if (WIFSIGNALED(status))
        fprintf(stderr, "vczfs: the background process was killed by signal %d\n",
                WTERMSIG(status));
    exit(WIFEXITED(status) && WEXITSTATUS(status) != EXIT_SUCCESS ? WEXITSTATUS(status)
                                                                  : EXIT_FAILURE);
}

int background_fork(const char *dir, struct err *err)
{
    struct stat st = {0};
    int fds[2];
    pid_t pid;

    if (dir != NULL && stat(dir, &st) != 0)
        return err_sys(err, ERR_NOT_FOUND, errno, "mount point '%s'", dir);
    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot go to the background");
    pid = fork();
    if (pid < 0) {
        err_sys(err, ERR_SYSTEM, errno, "cannot go to the background");
        close(fds[0]);
        close(fds[1]);
        return -1;
    }
    if (pid > 0) {
        close(fds[1]);
        wait_for_child(pid, fds[0], dir, st.st_dev);
    }
    close(fds[0]);
    signal(SIGHUP, SIG_IGN);
    return fds[1];
}

int background_ready(int status_fd, int stderr_fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int rc = -1;

    /* The child stays in the terminal's session until now, so that ^C stops it, too. */
    if (null >= 0 && setsid() >= 0 && chdir("/") == 0 && dup2(null, STDIN_FILENO) >= 0 &&
        dup2(null, STDOUT_FILENO) >= 0 &&
        dup2(stderr_fd != STDERR_FILENO ? stderr_fd : null, STDERR_FILENO) >= 0 &&
        write(status_fd, "", 1) == 1)
        rc = 0;
    if (null >= 0)
        close(null);
    close(status_fd);
    return rc;
}
