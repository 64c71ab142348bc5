/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A cmsghdr needs its alignment, which a plain array of bytes may not have. */
union control {
    struct cmsghdr header;
    uint8_t bytes[CMSG_SPACE(PROTO_FDS_MAX * sizeof(int))];
};

void wire_close_fds(int *fds, size_t nfds)
{
    for (size_t i = 0; i < nfds; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

static void attach_fds(struct msghdr *header, union control *control, const int *fds, size_t nfds)
{
    struct cmsghdr *cmsg;

    memset(control, 0, sizeof *control);
    header->msg_control = control->bytes;
    header->msg_controllen = CMSG_SPACE(nfds * sizeof(int));
    cmsg = CMSG_FIRSTHDR(header);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
    memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
}

enum wire_result wire_send(int fd, const void *packet, size_t len, const int *fds, size_t nfds,
                           struct err *err)
{
    struct iovec iov = {.iov_base = (void *)packet, .iov_len = len};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
    union control control;
    ssize_t n;

    if (nfds > 0)
        attach_fds(&header, &control, fds, nfds);
    do {
        n = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n >= 0)
        return WIRE_OK;
    if (errno == EAGAIN)
        return WIRE_AGAIN;
    if (errno == EPIPE || errno == ECONNRESET)
        return WIRE_GONE;
    err_sys(err, ERR_PEER, errno, "cannot send a packet of %zu bytes", len);
    return WIRE_ERROR;
}

/* Takes the descriptors; false if the message has other control data. */
static bool take_fds(struct msghdr *header, struct wire_packet *packet)
{
    bool ok = true;

    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
         cmsg = CMSG_NXTHDR(header, cmsg)) {
        size_t n;

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) {
            ok = false;
            continue;
        }
        n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof fd, sizeof fd);
            if (packet->nfds == PROTO_FDS_MAX) {
                close(fd);
                ok = false;
                continue;
            }
            packet->fds[packet->nfds++] = fd;
        }
    }
    return ok;
}

enum wire_result wire_recv(int fd, struct wire_packet *packet, bool *reset, struct err *err)
{
    struct iovec iov = {.iov_base = packet->bytes, .iov_len = sizeof packet->bytes};
    union control control;
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;
    bool ok;

    header.msg_control = control.bytes;
    header.msg_controllen = sizeof control.bytes;
    packet->nfds = 0;
    for (size_t i = 0; i < PROTO_FDS_MAX; i++)
        packet->fds[i] = -1;
    *reset = false;
    do {
        n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        *reset = errno == ECONNRESET;
        if (errno == EAGAIN || *reset)
            return *reset ? WIRE_GONE : WIRE_AGAIN;
        err_sys(err, ERR_PEER, errno, "cannot receive");
        return WIRE_ERROR;
    }
    packet->len = (size_t)n;
    ok = take_fds(&header, packet);
    if (n > 0 && ok && (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
        return WIRE_OK;
    wire_close_fds(packet->fds, packet->nfds);
    if (n == 0)
        return WIRE_GONE;
    err_set(err, ERR_PEER, "received a packet that is too long or brings what it must not bring");
    return WIRE_ERROR;
}

int wire_unpack(struct wire_packet *packet, struct proto_scratch *scratch, struct msg *msg,
                struct err *err)
{
    if (proto_unpack(packet->bytes, packet->len, scratch, msg, err) != 0) {
        wire_close_fds(packet->fds, packet->nfds);
        return -1;
    }
    if (packet->nfds == msg_nfds(msg))
        return 0;
    wire_close_fds(packet->fds, packet->nfds);
    return err_set(err, ERR_PEER, "message %s: brings %zu descriptors, due are %zu",
                   msg_type_name(msg->type), packet->nfds, msg_nfds(msg));
}
