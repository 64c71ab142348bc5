/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/verbs/verbs.h"

#include "common/cleanup.h"
#include "common/memfd.h"
#include "common/printable.h"
#include "common/version.h"
#include "fused/cli/progress.h"
#include "fused/encoder/encoder_start.h"
#include "fused/mounts/preflight.h"
#include "fused/process/child.h"
#include "proto/conn.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INFO_ID       1
#define END_GRACE_MS  500
#define HELLO_WAIT_MS 10000

/* One question after another to an encoder. */
struct talk {
    int fd;
    pid_t pid; /* 0: not ours */
    struct proto_scratch *scratch;
    struct progress progress;
    uint64_t nproblems; /* that a check found */
};

static int talk_begin(struct talk *talk, const struct options *opt, int log_fd, struct err *err)
{
    AUTO_FREE char *path = NULL;
    struct encoder_command command = {
        .memory = opt->memory,
        .threads = opt->threads,
        .log_level = opt->log_level,
        .no_sandbox = opt->no_sandbox,
        .stderr_fd = log_fd,
    };
    struct encoder_socket socket = {.path = opt->encoder_socket};

    talk->scratch = proto_scratch_new();
    if (talk->scratch == NULL)
        return err_nomem(err, "a message");
    if (opt->encoder_socket != NULL)
        return encoder_trust(opt->encoder_user, &socket, err) != 0
                   ? -1
                   : encoder_connect(&socket, &talk->fd, err);
    path = encoder_find(opt->encoder, err);
    if (path == NULL)
        return -1;
    command.path = path;
    return encoder_spawn(&command, &talk->pid, &talk->fd, err);
}

static void talk_end(struct talk *talk)
{
    int status;

    if (talk->fd >= 0)
        close(talk->fd);
    proto_scratch_free(talk->scratch);
    if (talk->pid == 0 || child_wait(talk->pid, END_GRACE_MS, &status))
        return;
    kill(talk->pid, SIGKILL);
    child_wait(talk->pid, END_GRACE_MS, &status);
}

static void close_fds(int *fds)
{
    for (size_t i = 0; i < PROTO_FDS_MAX; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static int say_hello(struct talk *talk, struct err *err)
{
    struct msg msg = {.type = MSG_HELLO};
    int fds[PROTO_FDS_MAX];

    msg.u.hello.version = PROTO_VERSION;
    msg.u.hello.program = "vczfs " VCZFS_VERSION;
    msg.u.hello.pid = (uint64_t)getpid();
    if (proto_send(talk->fd, &msg, NULL, 0, err) != 0 ||
        proto_recv(talk->fd, HELLO_WAIT_MS, talk->scratch, &msg, fds, err) != 0)
        return -1;
    close_fds(fds);
    if (msg.type != MSG_HELLO)
        return err_set(err, ERR_PEER, "the encoder began with '%s' instead of a hello",
                       msg_type_name(msg.type));
    if (msg.u.hello.version != PROTO_VERSION)
        return err_set(err, ERR_PEER,
                       "the encoder speaks protocol %" PRIu64 ", this vczfs speaks %d: install "
                       "both from the same build",
                       msg.u.hello.version, PROTO_VERSION);
    return 0;
}

static int print_report(uint64_t size, int fd, struct err *err)
{
    AUTO_FREE char *lines = malloc((size_t)size + 1);
    const uint8_t *text;

    if (lines == NULL)
        return err_nomem(err, "the report");
    if (memfd_map(fd, size, &text, err) != 0)
        return -1;
    memcpy(lines, text, (size_t)size);
    memfd_unmap(text, size);
    printable_lines(lines, (size_t)size);
    signal(SIGPIPE, SIG_DFL); /* `vczfs info STORE | head` ends silently, as programs do */
    if (fwrite(lines, 1, (size_t)size, stdout) != size || fflush(stdout) != 0)
        return err_set(err, ERR_IO, "cannot write to standard output");
    return 0;
}

/* 1: the answer is complete; 0: more will come; -1: it failed. */
static int take_answer(struct talk *talk, const struct msg *msg, const int *fds, struct err *err)
{
    switch (msg->type) {
    case MSG_PROGRESS:
        progress_show(&talk->progress, msg->u.progress.what, msg->u.progress.done,
                      msg->u.progress.total);
        return 0;
    case MSG_NOTICE:
        progress_warn(&talk->progress, msg->u.notice.text);
        return 0;
    case MSG_ERROR:
        err_set(err, msg->u.error.code, "%s", msg->u.error.text);
        printable(err->msg, strlen(err->msg));
        return -1;
    case MSG_REPORT:
        progress_clear(&talk->progress);
        talk->nproblems = msg->u.report.problems;
        return print_report(msg->u.report.size, fds[0], err) == 0 ? 1 : -1;
    default:
        return err_set(err, ERR_PEER, "the encoder sent '%s' instead of a report",
                       msg_type_name(msg->type));
    }
}

static int ask(struct talk *talk, const struct options *opt, const char *store, struct err *err)
{
    struct msg msg = {.type = MSG_INFO};
    AUTO_CLOSE int selection_fd = -1;
    int fds[PROTO_FDS_MAX];
    int rc;

    msg.u.info.id = INFO_ID;
    msg.u.info.store = store;
    msg.u.info.json = opt->json;
    msg.u.info.check = opt->check;
    msg.u.info.consumer = opt->consumer != NULL ? opt->consumer : "";
    options_view(opt, &msg.u.info.view);
    if (select_options_gather(&opt->select, &selection_fd, err) != 0)
        return -1;
    msg.u.info.view.has_selection = selection_fd >= 0;
    if (proto_send(talk->fd, &msg, &selection_fd, selection_fd >= 0 ? 1 : 0, err) != 0)
        return -1;
    do {
        if (proto_recv(talk->fd, -1, talk->scratch, &msg, fds, err) != 0)
            return -1;
        rc = take_answer(talk, &msg, fds, err);
        close_fds(fds);
    } while (rc == 0);
    return rc == 1 ? 0 : -1;
}

int verb_info(const struct options *opt, int log_fd)
{
    struct talk talk = {.fd = -1};
    struct err err = {0};
    AUTO_FREE char *store = preflight_store(opt->store, &err);
    int rc = -1;

    progress_init(&talk.progress);
    if (store != NULL && talk_begin(&talk, opt, log_fd, &err) == 0 && say_hello(&talk, &err) == 0)
        rc = ask(&talk, opt, store, &err);
    progress_clear(&talk.progress);
    talk_end(&talk);
    if (rc == 0)
        return talk.nproblems == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    fprintf(stderr, "vczfs: %s\n", err.msg);
    return verb_failure(&err);
}
