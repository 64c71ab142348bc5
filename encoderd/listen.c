#include "encoderd/listen.h"

#include "common/cleanup.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG         16
#define ACCEPT_WAIT     100 /* ms until another try, where descriptors or memory are short */
#define FIRST_INHERITED 3   /* SD_LISTEN_FDS_START */

static int make_address(const char *path, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof out->sun_path) {
        log_error("the socket path %s is longer than the %zu bytes the system allows", path,
                  sizeof out->sun_path - 1);
        return -1;
    }
    strcpy(out->sun_path, path);
    return 0;
}

/* A socket that an encoder left behind when it was killed: nobody answers on it. */
static bool is_stale_socket(const struct sockaddr_un *address)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct stat st;

    if (fd < 0 || lstat(address->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    return connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
           errno == ECONNREFUSED;
}

static int open_listener(const char *path)
{
    struct sockaddr_un address;
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    mode_t mask;
    int failed;

    if (fd < 0 || make_address(path, &address) != 0)
        return -1;
    if (is_stale_socket(&address))
        unlink(path);
    mask = umask(0177);
    failed = bind(fd, (const struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (failed != 0 || listen(fd, BACKLOG) != 0) {
        log_error("cannot listen on %s: %s", path, strerror(errno));
        return -1;
    }
    return steal_fd(&fd);
}

/* The socket that a service manager opened for us: sd_listen_fds(3). -1 if there is none. */
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

/* Only the user that runs the encoder, and root, may talk to it. */
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

/* In a process of its own: one front, then the end. */
static void serve_front(int fd, pid_t listener, const struct server_config *config)
{
    struct err err = {0};
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != listener) {
        close(fd); /* it went before it could be told apart */
        return;
    }
    if (server_run(fd, config, &err) != 0)
        log_error("%s", err.msg);
    else
        log_debug("%s", err.msg);
}

/* Returns true in the child, once it has served its front. */
static bool accept_front(int listener, const struct server_config *config)
{
    AUTO_CLOSE int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    const pid_t self = getpid();
    pid_t pid;

    if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        poll(NULL, 0, ACCEPT_WAIT); /* the connection stays, and would be readable again at once */
    if (fd < 0 || !peer_is_allowed(fd))
        return false;
    pid = fork();
    if (pid < 0)
        log_error("cannot start a process for a front: %s", strerror(errno));
    if (pid != 0)
        return false;
    close(listener);
    serve_front(steal_fd(&fd), self, config);
    return true;
}

/* A descriptor that is readable once SIGINT or SIGTERM came; children are reaped by the kernel. */
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

int listen_run(const char *path, const struct server_config *config)
{
    AUTO_CLOSE int signals = watch_signals();
    const int inherited = inherited_listener();
    AUTO_CLOSE int listener = inherited >= 0 ? inherited : open_listener(path);
    struct pollfd polled[2] = {{.fd = listener, .events = POLLIN},
                               {.fd = signals, .events = POLLIN}};

    if (signals < 0 || listener < 0)
        return 1;
    log_info("listening on %s", path);
    for (;;) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            break;
        if (polled[1].revents != 0)
            break;
        if ((polled[0].revents & POLLIN) != 0 && accept_front(listener, config)) {
            listener = -1; /* the child's copy is closed, and the path is the parent's */
            return 0;
        }
    }
    if (inherited < 0)
        unlink(path);
    return 0;
}
