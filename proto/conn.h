/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn: one SOCK_SEQPACKET connection of messages on a libevent loop, the same for both sides.
 *
 * Non-blocking. Packets that the socket does not take at once are queued in order and sent later.
 * The end of the connection (end of file, error, bad packet, wrong number of descriptors, output
 * queue over its limit) is always reported in the same way: `closed` is called exactly once, from
 * the event loop and never from inside conn_send. No message is delivered after it. What the peer
 * sent before it hung up is still delivered, so that a side that was sending receives an `error`
 * that the peer sent before it closed.
 */
#ifndef VCZFS_PROTO_CONN_H
#define VCZFS_PROTO_CONN_H

#include "proto/proto.h"

#include <event2/event.h>

struct conn;

struct conn_handlers {
    /* One valid message. fds (msg_nfds(msg) of them, close-on-exec) belong to the handler, which
     * closes or keeps each. msg and its strings live until the handler returns. The handler may
     * call conn_send and conn_free. */
    void (*message)(struct conn *conn, const struct msg *msg, const int *fds, void *arg);
    /* The connection is over; why->code is ERR_PEER, or what conn_fail was given, with a message
     * fit for the log. why lives until the handler returns. The handler usually calls conn_free. */
    void (*closed)(struct conn *conn, const struct err *why, void *arg);
};

/* Takes over fd and makes it non-blocking and close-on-exec. base and handlers must outlive the
 * conn. NULL on failure; fd is then closed. */
struct conn *conn_new(struct event_base *base, int fd, const struct conn_handlers *handlers,
                      void *arg, struct err *err);

/* Closes the socket and drops what is queued. It may be called inside a handler. */
void conn_free(struct conn *conn);

/* Sends the message, or queues it. The kernel or conn duplicates fds; the caller keeps its own.
 * Does nothing after the connection has failed, because `closed` reports that. */
void conn_send(struct conn *conn, const struct msg *msg, const int *fds, size_t nfds);

/* Drops the peer. The loop will call `closed` with this reason. */
void conn_fail(struct conn *conn, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* How many bytes are queued and not yet taken by the kernel. */
size_t conn_queued(const struct conn *conn);

/* Blocking calls, for the time before there is a loop (connect, hello) and for `vczfs info`.
 * proto_send sends one message. proto_recv waits for one, at most timeout_ms (-1: forever), and
 * fills fds, which has room for PROTO_FDS_MAX; unused ones are -1. Both fail with ERR_PEER, or with
 * ERR_SYSTEM after a timeout. */
int proto_send(int fd, const struct msg *msg, const int *fds, size_t nfds, struct err *err);
int proto_recv(int fd, int timeout_ms, struct proto_scratch *scratch, struct msg *msg, int *fds,
               struct err *err);

#endif
