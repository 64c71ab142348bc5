/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/conn.h"

#include "proto/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define QUEUE_MAX      (4u << 20) /* bytes; a peer this far behind has stopped reading */
#define PACKETS_A_TURN 32         /* received per wake-up, so that other events are not delayed */

struct queued {
    STAILQ_ENTRY(queued) next;
    size_t len;
    size_t nfds;
    int fds[PROTO_FDS_MAX]; /* own duplicates */
    uint8_t bytes[];
};

struct conn {
    int fd;
    const struct conn_handlers *handlers;
    void *arg;
    struct event *readable, *writable, *failure;
    struct proto_scratch *scratch;
    struct wire_packet *in;
    struct buf out; /* the packet that conn_send is making */
    STAILQ_HEAD(, queued) queue;
    size_t nqueued; /* bytes */
    struct err why;
    bool deaf;    /* sending failed; packets from the peer are still read */
    bool failed;  /* `closed` is due or has been called */
    bool freed;   /* conn_free came inside a handler; memory is freed after it */
    bool handler; /* inside one */
};

static void queued_free(struct queued *queued)
{
    wire_close_fds(queued->fds, queued->nfds);
    free(queued);
}

static void queue_clear(struct conn *conn)
{
    struct queued *queued;

    while ((queued = STAILQ_FIRST(&conn->queue)) != NULL) {
        STAILQ_REMOVE_HEAD(&conn->queue, next);
        queued_free(queued);
    }
    conn->nqueued = 0;
}

/* Everything that the outside can see. */
static void conn_close(struct conn *conn)
{
    queue_clear(conn);
    if (conn->readable != NULL)
        event_free(conn->readable);
    if (conn->writable != NULL)
        event_free(conn->writable);
    if (conn->failure != NULL)
        event_free(conn->failure);
    conn->readable = conn->writable = conn->failure = NULL;
    close(conn->fd);
    conn->fd = -1;
}

static void conn_release(struct conn *conn)
{
    proto_scratch_free(conn->scratch);
    free(conn->in);
    buf_free(&conn->out);
    free(conn);
}

void conn_free(struct conn *conn)
{
    if (conn == NULL || conn->freed)
        return;
    conn->freed = true;
    conn_close(conn);
    if (!conn->handler)
        conn_release(conn);
}

/* Only the first failure counts. `closed` is called from the loop and not here, because the caller
 * may still be using what the handler of `closed` frees. */
static void fail(struct conn *conn, const struct err *why)
{
    if (conn->failed || conn->freed)
        return;
    conn->failed = true;
    conn->why = *why;
    queue_clear(conn);
    event_del(conn->readable);
    event_del(conn->writable);
    event_active(conn->failure, EV_TIMEOUT, 1);
}

void conn_fail(struct conn *conn, enum err_code code, const char *fmt, ...)
{
    struct err why = {.code = code};
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why.msg, sizeof why.msg, fmt, ap);
    va_end(ap);
    fail(conn, &why);
}

static void on_failure(evutil_socket_t fd, short events, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    (void)events;
    conn->handler = true;
    conn->handlers->closed(conn, &conn->why, conn->arg);
    conn->handler = false;
    if (conn->freed)
        conn_release(conn);
}

static void deliver(struct conn *conn)
{
    struct msg msg;
    struct err err;
    int fds[PROTO_FDS_MAX];

    if (wire_unpack(conn->in, conn->scratch, &msg, &err) != 0) {
        fail(conn, &err);
        return;
    }
    memcpy(fds, conn->in->fds, sizeof fds);
    conn->handler = true;
    conn->handlers->message(conn, &msg, fds, conn->arg);
    conn->handler = false;
}

/* Reads and handles one packet. False when no more can be read now. */
static bool read_one(struct conn *conn)
{
    struct err err;
    bool reset;

    switch (wire_recv(conn->fd, conn->in, &reset, &err)) {
    case WIRE_OK:
        deliver(conn);
        return !conn->failed && !conn->freed;
    case WIRE_GONE:
        conn->deaf = true;
        if (reset)
            return true;
        conn_fail(conn, ERR_PEER, "the other process closed the connection");
        return false;
    case WIRE_ERROR:
        fail(conn, &err);
        return false;
    case WIRE_AGAIN:
        if (conn->deaf)
            conn_fail(conn, ERR_PEER, "the other process takes no more messages");
        return false;
    }
    return false;
}

static void on_readable(evutil_socket_t fd, short events, void *arg)
{
    struct conn *conn = arg;

    (void)fd;
    (void)events;
    for (int i = 0; i < PACKETS_A_TURN && read_one(conn); i++)
        continue;
    if (conn->freed)
        conn_release(conn);
}

/* Sending has failed. The connection itself fails only at the end of file, after the peer's last
 * packets have been read, because one of them may say why the peer closed. */
static void go_deaf(struct conn *conn)
{
    conn->deaf = true;
    queue_clear(conn);
    event_del(conn->writable);
    event_active(conn->readable, EV_READ, 1);
}

/* True if the packet needs no further sending. */
static bool try_send(struct conn *conn, const void *packet, size_t len, const int *fds, size_t nfds)
{
    struct err err;

    switch (wire_send(conn->fd, packet, len, fds, nfds, &err)) {
    case WIRE_OK:
        return true;
    case WIRE_AGAIN:
        break;
    case WIRE_GONE:
        go_deaf(conn);
        break;
    case WIRE_ERROR:
        fail(conn, &err);
        break;
    }
    return false;
}

static void on_writable(evutil_socket_t fd, short events, void *arg)
{
    struct conn *conn = arg;
    struct queued *first;

    (void)fd;
    (void)events;
    while ((first = STAILQ_FIRST(&conn->queue)) != NULL) {
        if (!try_send(conn, first->bytes, first->len, first->fds, first->nfds))
            return;
        STAILQ_REMOVE_HEAD(&conn->queue, next);
        conn->nqueued -= first->len;
        queued_free(first);
    }
    event_del(conn->writable);
}

static struct queued *queued_new(const struct buf *packet, const int *fds, size_t nfds)
{
    struct queued *queued = malloc(sizeof *queued + packet->len);

    if (queued == NULL)
        return NULL;
    queued->len = packet->len;
    queued->nfds = nfds;
    memcpy(queued->bytes, packet->data, packet->len);
    for (size_t i = 0; i < nfds; i++)
        queued->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
    for (size_t i = 0; i < nfds; i++) {
        if (queued->fds[i] < 0) {
            queued_free(queued);
            return NULL;
        }
    }
    return queued;
}

static void enqueue(struct conn *conn, const int *fds, size_t nfds)
{
    struct queued *queued;

    if (conn->nqueued + conn->out.len > QUEUE_MAX) {
        conn_fail(conn, ERR_PEER, "the other process does not read its messages");
        return;
    }
    queued = queued_new(&conn->out, fds, nfds);
    if (queued == NULL || event_add(conn->writable, NULL) != 0) {
        if (queued != NULL)
            queued_free(queued);
        conn_fail(conn, ERR_PEER, "out of memory or descriptors for an unsent message");
        return;
    }
    STAILQ_INSERT_TAIL(&conn->queue, queued, next);
    conn->nqueued += queued->len;
}

void conn_send(struct conn *conn, const struct msg *msg, const int *fds, size_t nfds)
{
    struct err err;

    if (conn->failed || conn->freed || conn->deaf)
        return;
    if (nfds != msg_nfds(msg)) {
        conn_fail(conn, ERR_PEER, "message %s: %zu descriptors to send, due are %zu",
                  msg_type_name(msg->type), nfds, msg_nfds(msg));
        return;
    }
    buf_reset(&conn->out);
    if (proto_pack(msg, &conn->out, &err) != 0) {
        err.code = ERR_PEER;
        fail(conn, &err);
        return;
    }
    if (STAILQ_EMPTY(&conn->queue) && try_send(conn, conn->out.data, conn->out.len, fds, nfds))
        return;
    if (!conn->failed && !conn->deaf)
        enqueue(conn, fds, nfds);
}

size_t conn_queued(const struct conn *conn)
{
    return conn->nqueued;
}

static int conn_start(struct conn *conn, struct event_base *base, struct err *err)
{
    int flags = fcntl(conn->fd, F_GETFL);

    if (flags < 0 || fcntl(conn->fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(conn->fd, F_SETFD, FD_CLOEXEC) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot prepare the socket");
    conn->scratch = proto_scratch_new();
    conn->in = malloc(sizeof *conn->in);
    conn->readable = event_new(base, conn->fd, EV_READ | EV_PERSIST, on_readable, conn);
    conn->writable = event_new(base, conn->fd, EV_WRITE | EV_PERSIST, on_writable, conn);
    conn->failure = event_new(base, -1, 0, on_failure, conn);
    if (conn->scratch == NULL || conn->in == NULL || conn->readable == NULL ||
        conn->writable == NULL || conn->failure == NULL || event_add(conn->readable, NULL) != 0)
        return err_nomem(err, "a connection");
    return 0;
}

struct conn *conn_new(struct event_base *base, int fd, const struct conn_handlers *handlers,
                      void *arg, struct err *err)
{
    struct conn *conn = calloc(1, sizeof *conn);

    if (conn == NULL) {
        close(fd);
        err_nomem(err, "a connection");
        return NULL;
    }
    conn->fd = fd;
    conn->handlers = handlers;
    conn->arg = arg;
    STAILQ_INIT(&conn->queue);
    if (conn_start(conn, base, err) != 0) {
        conn_free(conn);
        return NULL;
    }
    return conn;
}
