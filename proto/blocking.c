/* SPDX-License-Identifier: Apache-2.0 */
/* proto_send and proto_recv, for the time before there is an event loop. */
#include "common/cleanup.h"
#include "proto/conn.h"
#include "proto/wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until deadline (-1: forever) for events on fd. */
static int wait_for(int fd, short events, int64_t deadline, struct err *err)
{
    struct pollfd pfd = {.fd = fd, .events = events};

    for (;;) {
        int64_t left = deadline < 0 ? -1 : deadline - now_ms();
        int n = poll(&pfd, 1, deadline >= 0 && left < 0 ? 0 : (int)left);

        if (n > 0)
            return 0;
        if (n == 0)
            return err_set(err, ERR_SYSTEM, "no answer from the other process in time");
        if (errno != EINTR)
            return err_sys(err, ERR_SYSTEM, errno, "poll");
    }
}

static int gone(struct err *err)
{
    return err_set(err, ERR_PEER, "the other process closed the connection");
}

int proto_send(int fd, const struct msg *msg, const int *fds, size_t nfds, struct err *err)
{
    CLEANUP(buf_free) struct buf packet = {0};

    if (nfds != msg_nfds(msg))
        return err_set(err, ERR_USAGE, "message %s: %zu descriptors given, due are %zu",
                       msg_type_name(msg->type), nfds, msg_nfds(msg));
    if (proto_pack(msg, &packet, err) != 0)
        return -1;
    for (;;) {
        switch (wire_send(fd, packet.data, packet.len, fds, nfds, err)) {
        case WIRE_OK:
            return 0;
        case WIRE_GONE:
            return gone(err);
        case WIRE_ERROR:
            return -1;
        case WIRE_AGAIN:
            if (wait_for(fd, POLLOUT, -1, err) != 0)
                return -1;
            break;
        }
    }
}

int proto_recv(int fd, int timeout_ms, struct proto_scratch *scratch, struct msg *msg, int *fds,
               struct err *err)
{
    AUTO_FREE struct wire_packet *packet = malloc(sizeof *packet);
    int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    bool reset;

    for (size_t i = 0; i < PROTO_FDS_MAX; i++)
        fds[i] = -1;
    if (packet == NULL)
        return err_nomem(err, "a packet");
    for (;;) {
        switch (wire_recv(fd, packet, &reset, err)) {
        case WIRE_OK:
            if (wire_unpack(packet, scratch, msg, err) != 0)
                return -1;
            for (size_t i = 0; i < packet->nfds; i++)
                fds[i] = packet->fds[i];
            return 0;
        case WIRE_GONE:
            if (!reset)
                return gone(err);
            break;
        case WIRE_ERROR:
            return -1;
        case WIRE_AGAIN:
            if (wait_for(fd, POLLIN, deadline, err) != 0)
                return -1;
            break;
        }
    }
}
