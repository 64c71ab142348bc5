/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/serve/session.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "fused/mounts/mounts.h"
#include "fused/mounts/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>

#define REQUESTS_PER_TURN 32 /* then the socket and the timers have theirs */
#define READ_AHEAD_KB     "1024"
#define LOCK_TRIES        100 /* of 10 ms each */
#define AUTOFS_MAGIC      0x0187

struct session {
    struct session_config config;
    int dir_fd; /* owned; -1: none */
    const struct session_handlers *handlers;
    void *arg;
    struct fuse_session *fuse;
    struct event *readable;
    struct fuse_buf buf; /* mem is malloc'd by libfuse on first use */
    bool ready;
    struct mount_entry mounted; /* wherever that is now; device "" if it is not known */
};

/* The kernel reads ahead 128 KiB at most by default, whatever the reader does. Only root may change
 * that, and a mount that cannot is merely slower. */
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

/* A comma ends an option and a backslash protects one. */
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

/* Preflight has looked, but that was before the view was opened. An automount waits for what is
 * mounted on it. */
static int check_free(int fd, const char *dir, struct err *err)
{
    struct mount_entry entry;

    if (!mounts_find_on(fd, &entry) || strcmp(entry.type, "autofs") == 0)
        return 0;
    return err_set(err, ERR_USAGE, "mount point '%s' is in use: %s was mounted on it meanwhile",
                   dir, entry.type);
}

/* Against another vczfs that is about to mount on dir at this moment. A directory that cannot be
 * locked, or that somebody keeps locked, is mounted on all the same: then -1. */
static int lock_dir(int dir)
{
    const struct timespec wait = {.tv_nsec = 10000000};
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        if (errno != EWOULDBLOCK)
            break;
        nanosleep(&wait, NULL);
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* On the directory that is held and not on its name, which its owner may have given to another one,
 * or to a link: by way of the working directory, which fusermount3 has, too. */
static int mount_here(struct session *session, struct err *err)
{
    AUTO_CLOSE int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *dir = session->config.dir;
    int failed;

    if (fchdir(session->dir_fd) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "mount point '%s'", dir);
    failed = fuse_session_mount(session->fuse, ".");
    if ((before < 0 || fchdir(before) != 0) && chdir("/") != 0)
        log_warning("cannot leave the mount point: %s", strerror(errno));
    return failed != 0 ? err_set(err, ERR_SYSTEM, "cannot mount on '%s'", dir) : 0;
}

static int mount_on_dir(struct session *session, struct err *err)
{
    const char *dir = session->config.dir;
    const int fd = session->dir_fd;
    struct mount_entry entry;
    AUTO_CLOSE int lock = -1;

    if (check_free(fd, dir, err) != 0)
        return -1;
    lock = lock_dir(fd);
    if (check_free(fd, dir, err) != 0 || preflight_empty(fd, dir, err) != 0 ||
        mount_here(session, err) != 0)
        return -1;
    if (mounts_find_on(fd, &entry) && strcmp(entry.type, MOUNTS_TYPE) == 0)
        session->mounted = entry;
    return 0;
}

/* libfuse knows such a path. */
static int take_descriptor(struct session *session, struct err *err)
{
    if (fuse_session_mount(session->fuse, session->config.dir) != 0)
        return err_set(err, ERR_SYSTEM, "cannot serve '%s'", session->config.dir);
    return 0;
}

/* Who holds a directory of an automount keeps it from being left alone, and so from unmounting what
 * is idle. */
static void let_go_of_automount(struct session *session)
{
    struct statfs st;

    if (session->dir_fd < 0 || fstatfs(session->dir_fd, &st) != 0 || st.f_type != AUTOFS_MAGIC)
        return;
    close(session->dir_fd);
    session->dir_fd = -1;
}

static int mount_session(struct session *session, struct err *err)
{
    int fd;

    if ((session->config.handed ? take_descriptor : mount_on_dir)(session, err) != 0)
        return -1;
    let_go_of_automount(session);
    fd = fuse_session_fd(session->fuse);
    session->readable =
        event_new(session->config.base, fd, EV_READ | EV_PERSIST, on_readable, session);
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0 || session->readable == NULL ||
        event_add(session->readable, NULL) != 0) {
        session_unmount(session);
        return err_set(err, ERR_SYSTEM, "cannot watch the mount on '%s'", session->config.dir);
    }
    return 0;
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
    if (make_session(session, err) != 0 || mount_session(session, err) != 0) {
        session_free(session);
        return NULL;
    }
    return session;
}

/* While the kernel holds on to its end, nothing else has our device number. */
static bool is_connected(const struct session *session)
{
    struct pollfd fuse = {.fd = fuse_session_fd(session->fuse)};

    return poll(&fuse, 1, 0) >= 0 && (fuse.revents & POLLERR) == 0;
}

/* Wherever it is by now. */
static void unmount_all(const struct session *session)
{
    struct mount_entry entry;
    struct err err = {0};
    char *dir;

    while (err.code == ERR_NONE && is_connected(session) &&
           (dir = mounts_where(session->mounted.device)) != NULL) {
        if (mounts_unmount(dir, true, &err) != 0)
            log_error("%s", err.msg);
        free(dir);
    }
    if (session->dir_fd >= 0 && is_connected(session) && mounts_find_on(session->dir_fd, &entry))
        log_warning("%s is mounted over '%s': what is below is dead from now on; 'vczfs unmount' "
                    "clears it away later",
                    entry.type, session->config.dir);
}

/* libfuse keeps what it has mounted in mind until it unmounts whatever is on "." then, unless the
 * kernel has let go of the connection; which is what a pipe without a reader looks like. */
static void forget_mount(const struct session *session)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return;
    close(fds[0]);
    if (dup2(fds[1], fuse_session_fd(session->fuse)) >= 0)
        fuse_session_unmount(session->fuse);
    close(fds[1]);
}

void session_unmount(struct session *session)
{
    if (session->readable != NULL)
        event_free(session->readable);
    session->readable = NULL;
    fuse_session_exit(session->fuse);
    if (session->config.handed)
        return;
    unmount_all(session);
    forget_mount(session);
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
