#include "fused/child.h"

#include "common/cleanup.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

bool child_wait(pid_t pid, int timeout_ms, int *status)
{
    AUTO_CLOSE int pidfd = pidfd_open(pid, 0);
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

    if (pidfd >= 0)
        poll(&poll_fd, 1, timeout_ms);
    return waitpid(pid, status, WNOHANG) == pid;
}

void child_status_text(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "exited with status %d", WEXITSTATUS(status));
}
