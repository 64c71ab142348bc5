/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/process/service.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "fused/process/clock.h"
#include "fused/process/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TEXT_MAX 512

struct service {
    struct event_base *base;
    int notify_fd; /* -1: there is no service manager */
    struct event *watchdog;
    uint64_t watchdog_ms; /* between two signs of life */
    pid_t prober;         /* 0: none */
    struct event *probed; /* the prober's end of the pipe has an event */
    int prober_fd;        /* read end; -1: none */
};

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
    struct service *service = arg;

    (void)fd;
    (void)what;
    notify_send(service->notify_fd, "WATCHDOG=1");
    clock_arm(service->watchdog, service->watchdog_ms);
}

/* $WATCHDOG_USEC, if it is meant for this process; else 0. */
static uint64_t watchdog_us(void)
{
    const char *us = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");

    if (us == NULL || (pid != NULL && strtoull(pid, NULL, 10) != (uint64_t)getpid()))
        return 0;
    return strtoull(us, NULL, 10);
}

static void start_watchdog(struct service *service)
{
    service->watchdog_ms = watchdog_us() / 2000;
    if (service->notify_fd < 0 || service->watchdog_ms == 0)
        return;
    service->watchdog = evtimer_new(service->base, on_watchdog, service);
    if (service->watchdog != NULL)
        clock_arm(service->watchdog, service->watchdog_ms);
}

struct service *service_new(struct event_base *base, struct err *err)
{
    struct service *service = calloc(1, sizeof *service);
    struct err why = {0};

    if (service == NULL) {
        err_nomem(err, "the service");
        return NULL;
    }
    service->base = base;
    service->prober_fd = -1;
    service->notify_fd = notify_open(getenv("NOTIFY_SOCKET"), &why);
    if (why.code != ERR_NONE)
        log_warning("%s", why.msg);
    start_watchdog(service);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return service;
}

static void end_probe(struct service *service)
{
    if (service->probed != NULL)
        event_free(service->probed);
    service->probed = NULL;
    if (service->prober_fd >= 0)
        close(steal_fd(&service->prober_fd));
    if (service->prober == 0)
        return;
    kill(service->prober, SIGKILL); /* because it may hang in the mount */
    while (waitpid(service->prober, NULL, 0) < 0 && errno == EINTR)
        ;
    service->prober = 0;
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    end_probe(service);
    if (service->watchdog != NULL)
        event_free(service->watchdog);
    if (service->notify_fd >= 0)
        close(service->notify_fd);
    free(service);
}

void service_say(struct service *service, const char *fmt, ...)
{
    char text[TEXT_MAX] = "STATUS=";
    va_list ap;

    if (service->notify_fd < 0)
        return;
    va_start(ap, fmt);
    vsnprintf(text + strlen(text), sizeof text - strlen(text), fmt, ap);
    va_end(ap);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\n')
            *at = ' '; /* so that the text cannot add a KEY=VALUE line */
    notify_send(service->notify_fd, text);
}

/* Runs in a child process, because the process that serves a mount must not wait for it. The child
 * must not keep /dev/fuse open, and must not live longer than its parent. */
static _Noreturn void probe(const char *dir, int to)
{
    struct stat st;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(to, STDIN_FILENO);
    io_close_from(STDERR_FILENO + 1);
    _exit(stat(dir, &st) == 0 && write(STDIN_FILENO, "", 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void on_probed(evutil_socket_t fd, short what, void *arg)
{
    struct service *service = arg;
    char byte;
    const bool answered = read(fd, &byte, 1) == 1;

    (void)what;
    end_probe(service);
    if (answered)
        notify_send(service->notify_fd, "READY=1");
    else
        log_error("the mount does not answer");
}

void service_mounted(struct service *service, const char *dir)
{
    int fds[2];

    if (service->notify_fd < 0 || service->prober != 0 || pipe2(fds, O_CLOEXEC) != 0)
        return;
    service->prober = fork();
    if (service->prober == 0)
        probe(dir, fds[1]);
    close(fds[1]);
    service->prober_fd = fds[0];
    service->probed = event_new(service->base, fds[0], EV_READ, on_probed, service);
    if (service->prober < 0 || service->probed == NULL || event_add(service->probed, NULL) != 0) {
        log_error("cannot find out whether the mount answers");
        service->prober = service->prober < 0 ? 0 : service->prober;
        end_probe(service);
    }
}

void service_failed(struct service *service, const char *why)
{
    struct err err = {0};
    AUTO_CLOSE int fd = service == NULL ? notify_open(getenv("NOTIFY_SOCKET"), &err) : -1;
    struct service nameless = {.notify_fd = fd};

    service_say(service == NULL ? &nameless : service, "failed: %s", why);
}

void service_stopping(struct service *service)
{
    notify_send(service->notify_fd, "STOPPING=1\nSTATUS=unmounting");
}
