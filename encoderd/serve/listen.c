/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/listen.h"

#include "common/cleanup.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG         16
#define ACCEPT_WAIT     100 /* ms until the next try if there are no descriptors or no memory */
#define FIRST_INHERITED 3   /* SD_LISTEN_FDS_START */

/* The socket's name in a directory that is kept open, because the owner of a directory above could
 * make the path lead elsewhere. */
struct socket_place {
    int dir;          /* owned; -1: none */
    const char *name; /* borrowed */
    struct sockaddr_un address;
    struct stat ours; /* the socket that this process made there */
};

/* Other users must not be able to write to the directory: they could put their own socket where
 * fronts look for this one. */
static int check_dir(const char *path, const struct stat *dir)
{
    if (dir->st_uid != 0 && dir->st_uid != geteuid()) {
        log_error("cannot listen on %s: its directory is another user's", path);
        return -1;
    }
    if ((dir->st_mode & 022) != 0 && (dir->st_mode & S_ISVTX) == 0) {
        log_error("cannot listen on %s: others may write to its directory; use one where only its "
                  "user may (mode 0755 or 0700)",
                  path);
        return -1;
    }
    return 0;
}

static int hold_place(const char *path, struct socket_place *place)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *above = slash != NULL ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    const size_t room = sizeof place->address.sun_path;
    struct stat st;

    place->name = slash != NULL ? slash + 1 : path;
    place->dir = above != NULL ? open(above, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (place->dir < 0 || fstat(place->dir, &st) != 0) {
        log_error("cannot listen on %s: %s", path, strerror(errno));
        return -1;
    }
    place->address.sun_family = AF_UNIX;
    if ((size_t)snprintf(place->address.sun_path, room, "/proc/self/fd/%d/%s", place->dir,
                         place->name) >= room) {
        log_error("cannot listen on %s: the name %s is too long for a socket", path, place->name);
        return -1;
    }
    return check_dir(path, &st);
}

/* True for a socket that an encoder of this user left behind when it was killed: connecting to it
 * is refused. */
static bool is_stale_socket(const struct socket_place *place)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct stat st;

    if (fd < 0 || fstatat(place->dir, place->name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
        return false;
    return connect(fd, (const struct sockaddr *)&place->address, sizeof place->address) != 0 &&
           errno == ECONNREFUSED;
}

static int open_listener(const char *path, struct socket_place *place)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    mode_t mask;
    int failed;

    if (fd < 0 || hold_place(path, place) != 0)
        return -1;
    if (is_stale_socket(place))
        unlinkat(place->dir, place->name, 0);
    mask = umask(0177);
    failed = bind(fd, (const struct sockaddr *)&place->address, sizeof place->address);
    umask(mask);
    if (failed != 0 || listen(fd, BACKLOG) != 0 ||
        fstatat(place->dir, place->name, &place->ours, AT_SYMLINK_NOFOLLOW) != 0) {
        log_error("cannot listen on %s: %s", path, strerror(errno));
        return -1;
    }
    return steal_fd(&fd);
}

/* Removes the socket, unless the name belongs to another file by now. */
static void remove_socket(const struct socket_place *place)
{
    struct stat st;

    if (fstatat(place->dir, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_dev == place->ours.st_dev && st.st_ino == place->ours.st_ino)
        unlinkat(place->dir, place->name, 0);
}

/* The socket that a service manager opened for this process: sd_listen_fds(3). -1 if there is
 * none. */
static int inherited_listener(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *nfds = getenv("LISTEN_FDS");
    const bool ours = pid != NULL && nfds != NULL && strtol(pid, NULL, 10) == (long)getpid() &&
                      strcmp(nfds, "1") == 0;
    int type = 0, listens = 0;
    socklen_t len = sizeof type;

    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (!ours || getsockopt(FIRST_INHERITED, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
        getsockopt(FIRST_INHERITED, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0 ||
        type != SOCK_SEQPACKET || listens == 0)
        return -1;
    fcntl(FIRST_INHERITED, F_SETFD, FD_CLOEXEC);
    return FIRST_INHERITED;
}

/* True if the front is run by the user who runs the encoder, or by root. */
static bool peer_is_allowed(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return false;
    if (peer.uid == geteuid() || peer.uid == 0)
        return true;
    log_warning("refused a front of user %u", (unsigned)peer.uid);
    return false;
}

/* Serves one front, in a process of its own. */
static void serve_front(int fd, pid_t listener, const struct server_config *config)
{
    struct err err = {0};
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != listener) {
        close(fd); /* the listener ended before prctl took effect */
        return;
    }
    if (server_run(fd, config, &err) != 0)
        log_error("%s", err.msg);
    else
        log_debug("%s", err.msg);
}

/* A descriptor that becomes readable on SIGINT or SIGTERM. The kernel reaps children. */
static int watch_signals(void)
{
    sigset_t ends;

    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGCHLD, SIG_IGN);
    return signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
}

struct listener {
    int fd, signals; /* owned; -1: none */
    struct socket_place place;
};

static void close_listener(struct listener *listener)
{
    const int fds[] = {listener->fd, listener->signals, listener->place.dir};

    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    *listener = (struct listener){-1, -1, {.dir = -1}};
}

/* Forks a child to serve the next front. Returns true in the child, when it has done so. */
static bool accept_front(struct listener *listener, const struct server_config *config)
{
    AUTO_CLOSE int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    const pid_t self = getpid();
    pid_t pid;

    if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        /* the connection stays in the queue, so poll would return at once */
        poll(NULL, 0, ACCEPT_WAIT);
    if (fd < 0 || !peer_is_allowed(fd))
        return false;
    pid = fork();
    if (pid < 0)
        log_error("cannot start a process for a front: %s", strerror(errno));
    if (pid != 0)
        return false;
    close_listener(listener);
    serve_front(steal_fd(&fd), self, config);
    return true;
}

/* Accepts fronts until a signal ends it. Returns true in a child that has served its front. */
static bool accept_fronts(struct listener *listener, const struct server_config *config)
{
    struct pollfd polled[2] = {{.fd = listener->fd, .events = POLLIN},
                               {.fd = listener->signals, .events = POLLIN}};

    while (poll(polled, 2, -1) >= 0 || errno == EINTR) {
        if (polled[1].revents != 0)
            return false;
        if ((polled[0].revents & POLLIN) != 0 && accept_front(listener, config))
            return true;
    }
    return false;
}

int listen_run(const char *path, const struct server_config *config)
{
    CLEANUP(close_listener) struct listener listener = {-1, watch_signals(), {.dir = -1}};
    const int inherited = inherited_listener();

    listener.fd = inherited >= 0 ? inherited : open_listener(path, &listener.place);
    if (listener.signals < 0 || listener.fd < 0)
        return 1;
    log_info("listening on %s", path);
    if (!accept_fronts(&listener, config) && inherited < 0)
        remove_socket(&listener.place);
    return 0;
}
