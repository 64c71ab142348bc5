/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting on a directory that is kept open, after checking that nothing was mounted on it
 * meanwhile; and unmounting, wherever the mount is by then.
 */
#include "fused/serve/session_impl.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "fused/mounts/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES   100 /* of 10 ms each */
#define AUTOFS_MAGIC 0x0187

/* ---- mounting ---- */

/* Checks again what preflight checked, because the view was opened in between. An automount is no
 * obstacle: it expects something to be mounted on it. */
static int check_free(int fd, const char *dir, struct err *err)
{
    struct mount_entry entry;

    if (!mounts_find_on(fd, &entry) || strcmp(entry.type, "autofs") == 0)
        return 0;
    return err_set(err, ERR_USAGE, "mount point '%s' is in use: %s was mounted on it meanwhile",
                   dir, entry.type);
}

/* Locks out another vczfs that is about to mount on dir, too. Returns -1 if the directory cannot be
 * locked or stays locked; then the caller mounts without the lock. */
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

/* Mounts on the open directory and not on its path, because its owner may have renamed it or put
 * a link there. It becomes the working directory, which fusermount3 inherits, and "." is mounted
 * on. */
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

/* libfuse accepts such a path. */
static int take_descriptor(struct session *session, struct err *err)
{
    if (fuse_session_mount(session->fuse, session->config.dir) != 0)
        return err_set(err, ERR_SYSTEM, "cannot serve '%s'", session->config.dir);
    return 0;
}

/* Closes the directory of an automount: while it is open, it counts as in use, and the automount
 * does not unmount when idle. */
static void let_go_of_automount(struct session *session)
{
    struct statfs st;

    if (session->dir_fd < 0 || fstatfs(session->dir_fd, &st) != 0 || st.f_type != AUTOFS_MAGIC)
        return;
    close(session->dir_fd);
    session->dir_fd = -1;
}

int session_mount(struct session *session, struct err *err)
{
    if ((session->config.handed ? take_descriptor : mount_on_dir)(session, err) != 0)
        return -1;
    let_go_of_automount(session);
    return 0;
}

/* ---- unmounting ---- */

/* While the kernel has its end open, our device number belongs to no other mount. */
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

/* Keeps libfuse from unmounting whatever is at "." when it ends. It does not unmount if the
 * kernel has closed the connection, so it gets a descriptor that looks like that: a pipe without
 * a reader. */
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
