/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/encoder/supervisor.h"

#include "fused/process/child.h"
#include "fused/process/clock.h"
#include "fused/process/oom.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define DYING_MAX    16  /* killed, not yet dead: in uninterruptible sleep that takes long */
#define KILL_WAIT_MS 500 /* how long the front waits for all killed processes at its end */

struct supervisor {
    struct encoder_command command;
    struct encoder_socket socket;
    struct event *sigchld;
    pid_t pid; /* 0: none */
    pid_t dying[DYING_MAX];
    size_t ndying;
    char last_end[128];
    struct oom oom; /* watches the cgroup of the encoders */
};

/* Logs how an encoder ended, and keeps the text for the status if it did not end normally. */
static void note_end(struct supervisor *sup, pid_t pid, int status)
{
    char text[sizeof sup->last_end];

    child_status_text(status, text, sizeof text);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && oom_happened(&sup->oom))
        strncat(text, ": its cgroup is out of memory", sizeof text - strlen(text) - 1);
    if (status == 0) {
        log_info("encoder %d %s", (int)pid, text);
        return;
    }
    log_warning("encoder %d %s", (int)pid, text);
    memcpy(sup->last_end, text, sizeof text);
}

static bool reap(struct supervisor *sup, pid_t pid)
{
    int status;

    if (waitpid(pid, &status, WNOHANG) != pid)
        return false;
    note_end(sup, pid, status);
    return true;
}

static void on_sigchld(evutil_socket_t sig, short what, void *arg)
{
    struct supervisor *sup = arg;

    (void)sig;
    (void)what;
    for (size_t i = sup->ndying; i-- > 0;)
        if (reap(sup, sup->dying[i]))
            sup->dying[i] = sup->dying[--sup->ndying];
    if (sup->pid != 0 && reap(sup, sup->pid))
        sup->pid = 0;
}

struct supervisor *supervisor_new(struct event_base *base, const struct encoder_command *command,
                                  const struct encoder_socket *socket, struct err *err)
{
    struct supervisor *sup = calloc(1, sizeof *sup);

    if (sup != NULL) {
        sup->command = *command;
        sup->socket = *socket;
        sup->sigchld = evsignal_new(base, SIGCHLD, on_sigchld, sup);
    }
    if (sup == NULL || sup->sigchld == NULL || event_add(sup->sigchld, NULL) != 0) {
        err_set(err, ERR_MEMORY, "cannot watch for the encoder's end");
        supervisor_free(sup);
        return NULL;
    }
    return sup;
}

void supervisor_free(struct supervisor *sup)
{
    if (sup == NULL)
        return;
    supervisor_stop(sup, 0);
    if (sup->sigchld != NULL)
        event_free(sup->sigchld);
    free(sup);
}

int supervisor_start(struct supervisor *sup, int *fd, struct err *err)
{
    if (sup->socket.path != NULL)
        return encoder_connect(&sup->socket, fd, err);
    if (sup->ndying == DYING_MAX)
        return err_set(err, ERR_SYSTEM, "%d killed encoders have not died yet", DYING_MAX);
    if (encoder_spawn(&sup->command, &sup->pid, fd, err) != 0)
        return -1;
    log_info("encoder %d started", (int)sup->pid);
    return 0;
}

void supervisor_discard(struct supervisor *sup)
{
    if (sup->pid == 0)
        return;
    kill(sup->pid, SIGKILL);
    sup->dying[sup->ndying++] = sup->pid;
    sup->pid = 0;
}

void supervisor_stop(struct supervisor *sup, int grace_ms)
{
    uint64_t end;
    int status;

    /* From here on this function waits for the encoder itself; the handler of SIGCHLD must not
     * interrupt that. */
    if (sup->sigchld != NULL)
        event_del(sup->sigchld);
    if (sup->pid != 0 && child_wait(sup->pid, grace_ms, &status)) {
        note_end(sup, sup->pid, status);
        sup->pid = 0;
    }
    supervisor_discard(sup);
    end = clock_ms() + KILL_WAIT_MS;
    while (sup->ndying > 0) {
        pid_t pid = sup->dying[--sup->ndying];
        uint64_t now = clock_ms();

        /* A loop, because a signal ends child_wait early. */
        while (!child_wait(pid, now < end ? (int)(end - now) : 0, &status) && now < end)
            now = clock_ms();
    }
}

void supervisor_serving(struct supervisor *sup)
{
    if (sup->pid != 0)
        oom_watch(&sup->oom, sup->pid);
}

const char *supervisor_last_end(const struct supervisor *sup)
{
    return sup->last_end;
}
