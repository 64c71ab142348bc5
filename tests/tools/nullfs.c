/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nullfs: the ceiling of a mount. One file of zeros behind a FUSE loop in the shape of vczfs's
 * front (one thread, libevent, the same connection options), whose every read is answered from one
 * buffer.
 *
 * usage: nullfs SIZE DIR
 *
 * Says "ready" and shows DIR/null until SIGTERM, SIGINT or an unmount. How far the kernel reads
 * ahead is for the caller to set: a file system cannot look at its own mount.
 */
#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <err.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_INO          2
#define FOREVER           86400.0
#define READ_MAX          (1 << 20)
#define REQUESTS_PER_TURN 32

struct nullfs {
    uint64_t size;
    const char *dir;
    char *zeros;
    struct fuse_session *fuse;
    struct fuse_buf buf;
    struct event_base *base;
    bool inited;
};

static void fill_stat(const struct nullfs *fs, fuse_ino_t ino, struct stat *st)
{
    memset(st, 0, sizeof(*st));
    st->st_ino = ino;
    st->st_mode = ino == FILE_INO ? S_IFREG | 0444 : S_IFDIR | 0555;
    st->st_nlink = 1;
    st->st_size = ino == FILE_INO ? (off_t)fs->size : 0;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
    struct nullfs *fs = userdata;

    conn->max_background = 64;
    conn->congestion_threshold = 48;
    conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
    conn->want |= conn->capable & FUSE_CAP_ASYNC_READ;
    fs->inited = true;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param entry = {.attr_timeout = FOREVER, .entry_timeout = FOREVER};

    if (parent != FUSE_ROOT_ID || strcmp(name, "null") != 0) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    entry.ino = FILE_INO;
    fill_stat(fuse_req_userdata(req), FILE_INO, &entry.attr);
    fuse_reply_entry(req, &entry);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;

    (void)fi;
    fill_stat(fuse_req_userdata(req), ino, &st);
    fuse_reply_attr(req, &st, FOREVER);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    if (ino != FILE_INO) {
        fuse_reply_err(req, EISDIR);
        return;
    }
    fi->keep_cache = 1;
    fuse_reply_open(req, fi);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                    struct fuse_file_info *fi)
{
    const struct nullfs *fs = fuse_req_userdata(req);
    uint64_t at = (uint64_t)offset;

    (void)ino, (void)fi;
    if (at >= fs->size)
        size = 0;
    else if (size > fs->size - at)
        size = fs->size - at;
    if (size > READ_MAX)
        fuse_reply_err(req, EIO);
    else
        fuse_reply_buf(req, fs->zeros, size);
}

static const struct fuse_lowlevel_ops ops = {
    .init = op_init,
    .lookup = op_lookup,
    .getattr = op_getattr,
    .open = op_open,
    .read = op_read,
};

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct nullfs *fs = arg;

    (void)fd, (void)what;
    for (int i = 0; i < REQUESTS_PER_TURN; i++) {
        int n = fuse_session_receive_buf(fs->fuse, &fs->buf);

        if (n == -EINTR)
            continue;
        if (n == -EAGAIN)
            return;
        if (n > 0)
            fuse_session_process_buf(fs->fuse, &fs->buf);
        if (n <= 0 || fuse_session_exited(fs->fuse)) {
            event_base_loopbreak(fs->base);
            return;
        }
    }
}

static void on_signal(evutil_socket_t signum, short what, void *arg)
{
    struct nullfs *fs = arg;

    (void)signum, (void)what;
    event_base_loopbreak(fs->base);
}

static void mount_it(struct nullfs *fs)
{
    char program[] = "nullfs", dash_o[] = "-o", options[] = "ro,nosuid,nodev,fsname=nullfs";
    char *argv[] = {program, dash_o, options, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, argv);
    int fd;

    fs->fuse = fuse_session_new(&args, &ops, sizeof(ops), fs);
    if (fs->fuse == NULL || fuse_session_mount(fs->fuse, fs->dir) != 0)
        errx(1, "cannot mount on %s", fs->dir);
    fuse_opt_free_args(&args);
    fd = fuse_session_fd(fs->fuse);
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        err(1, "fcntl");
}

static void serve(struct nullfs *fs)
{
    struct event *events[3];
    int fd = fuse_session_fd(fs->fuse);

    fs->base = event_base_new();
    if (fs->base == NULL)
        errx(1, "cannot make an event loop");
    events[0] = event_new(fs->base, fd, EV_READ | EV_PERSIST, on_readable, fs);
    events[1] = evsignal_new(fs->base, SIGTERM, on_signal, fs);
    events[2] = evsignal_new(fs->base, SIGINT, on_signal, fs);
    for (int i = 0; i < 3; i++)
        if (events[i] == NULL || event_add(events[i], NULL) != 0)
            errx(1, "cannot wait for events");
    while (!fs->inited && event_base_loop(fs->base, EVLOOP_ONCE) == 0)
        ;
    puts("ready");
    fflush(stdout);
    event_base_dispatch(fs->base);
    for (int i = 0; i < 3; i++)
        event_free(events[i]);
    event_base_free(fs->base);
}

int main(int argc, char **argv)
{
    struct nullfs fs = {0};
    char *end;

    if (argc != 3)
        errx(2, "usage: nullfs SIZE DIR");
    fs.size = strtoull(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || fs.size == 0)
        errx(2, "%s: not a size in bytes", argv[1]);
    fs.dir = argv[2];
    fs.zeros = calloc(1, READ_MAX);
    if (fs.zeros == NULL)
        errx(1, "out of memory");
    mount_it(&fs);
    serve(&fs);
    fuse_session_unmount(fs.fuse);
    fuse_session_destroy(fs.fuse);
    free(fs.buf.mem);
    free(fs.zeros);
    return 0;
}
