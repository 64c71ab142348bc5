/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/process/child.h"

#include "common/cleanup.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define LOOK_MS 2

/* Polls for the end of the child, for Linux before 5.3, which has no descriptor that signals it. A
 * signal ends the waiting. */
static void wait_blindly(pid_t pid, int timeout_ms)
{
    siginfo_t info = {0};

    for (int waited = 0; waited < timeout_ms; waited += LOOK_MS)
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            info.si_pid == pid || poll(NULL, 0, LOOK_MS) != 0)
            return;
}

bool child_wait(pid_t pid, int timeout_ms, int *status)
{
    /* Called by number, because glibc before 2.36 has no function for it. */
    AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

    if (pidfd >= 0)
        poll(&poll_fd, 1, timeout_ms);
    else
        wait_blindly(pid, timeout_ms);
    return waitpid(pid, status, WNOHANG) == pid;
}

int child_attributes(posix_spawnattr_t *attr, short flags)
{
    sigset_t none, all;
    int rc;

    sigemptyset(&none);
    sigfillset(&all);
    flags |= POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if ((rc = posix_spawnattr_setflags(attr, flags)) != 0 ||
        (rc = posix_spawnattr_setsigmask(attr, &none)) != 0)
        return rc;
    return posix_spawnattr_setsigdefault(attr, &all);
}

void child_status_text(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "exited with status %d", WEXITSTATUS(status));
}
