/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/serve/session.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "fused/serve/session_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUESTS_PER_TURN 32 /* then other events of the loop are handled */
#define READ_AHEAD_KB     "1024"

/* ---- serving ---- */

/* Raises the kernel's read-ahead for this mount, which is 128 KiB by default. Only root may do so;
 * without it the mount is only slower. */
static void raise_read_ahead(const char *device)
{
    char path[128];
    AUTO_CLOSE int fd = -1;

    if (geteuid() != 0 || *device == '\0')
        return;
    snprintf(path, sizeof path, "/sys/class/bdi/%s/read_ahead_kb", device);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, READ_AHEAD_KB, strlen(READ_AHEAD_KB)) < 0)
        log_info("cannot raise the mount's read-ahead: %s: %s", path, strerror(errno));
}

static void end(struct session *session)
{
    event_del(session->readable);
    session->handlers->ended(session->arg);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct session *session = arg;

    (void)fd;
    (void)what;
    for (int i = 0; i < REQUESTS_PER_TURN; i++) {
        int n = fuse_session_receive_buf(session->fuse, &session->buf);

        if (n == -EINTR)
            continue;
        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            if (n < 0)
                log_error("reading requests from the kernel: %s", strerror(-n));
            end(session);
            return;
        }
        fuse_session_process_buf(session->fuse, &session->buf);
        if (fuse_session_exited(session->fuse)) {
            end(session);
            return;
        }
        if (session->config.view->inited && !session->ready) {
            session->ready = true;
            raise_read_ahead(session->mounted.device);
            session->handlers->ready(session->arg);
        }
    }
}

/* From here on, requests are events of the loop. */
static int watch(struct session *session, struct err *err)
{
    const int fd = fuse_session_fd(session->fuse);

    session->readable =
        event_new(session->config.base, fd, EV_READ | EV_PERSIST, on_readable, session);
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0 || session->readable == NULL ||
        event_add(session->readable, NULL) != 0) {
        session_unmount(session);
        return err_set(err, ERR_SYSTEM, "cannot watch the mount on '%s'", session->config.dir);
    }
    return 0;
}

/* ---- making one ---- */

/* Appends text for a mount option, in which a backslash escapes a comma. */
static void append_escaped(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == ',' || *text == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, *text);
    }
}

static int make_session(struct session *session, struct err *err)
{
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    struct buf options = {0};
    int rc = -1;

    buf_append_str(&options, "ro,nosuid,nodev,default_permissions,subtype=vczfs,fsname=");
    append_escaped(&options, session->config.source);
    if (session->config.allow_other)
        buf_append_str(&options, ",allow_other");
    buf_append_char(&options, '\0');
    if (options.failed || fuse_opt_add_arg(&args, "vczfs") != 0 ||
        fuse_opt_add_arg(&args, "-o") != 0 ||
        fuse_opt_add_arg(&args, (const char *)options.data) != 0)
        err_nomem(err, "a FUSE session");
    else if ((session->fuse = fuse_session_new(&args, &fuse_ops, sizeof fuse_ops,
                                               session->config.view)) == NULL)
        err_set(err, ERR_SYSTEM, "cannot make a FUSE session");
    else
        rc = 0;
    fuse_opt_free_args(&args);
    buf_free(&options);
    return rc;
}

static void log_fuse(enum fuse_log_level level, const char *fmt, va_list ap)
{
    char text[512];

    vsnprintf(text, sizeof text, fmt, ap);
    text[strcspn(text, "\n")] = '\0';
    if (level <= FUSE_LOG_ERR)
        log_error("%s", text);
    else
        log_info("%s", text);
}

struct session *session_new(const struct session_config *config,
                            const struct session_handlers *handlers, void *arg, struct err *err)
{
    struct session *session = calloc(1, sizeof *session);

    if (session == NULL) {
        if (config->dir_fd >= 0)
            close(config->dir_fd);
        err_nomem(err, "a FUSE session");
        return NULL;
    }
    session->config = *config;
    session->dir_fd = config->dir_fd;
    session->handlers = handlers;
    session->arg = arg;
    fuse_set_log_func(log_fuse);
    if (make_session(session, err) != 0 || session_mount(session, err) != 0 ||
        watch(session, err) != 0) {
        session_free(session);
        return NULL;
    }
    return session;
}

void session_free(struct session *session)
{
    if (session == NULL)
        return;
    if (session->readable != NULL)
        event_free(session->readable);
    if (session->fuse != NULL)
        fuse_session_destroy(session->fuse);
    if (session->dir_fd >= 0)
        close(session->dir_fd);
    free(session->buf.mem);
    free(session);
}
