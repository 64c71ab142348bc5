/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: sends and receives one packet, with its descriptors, on a SOCK_SEQPACKET socket.
 */
#ifndef VCZFS_PROTO_WIRE_H
#define VCZFS_PROTO_WIRE_H

#include "proto/proto.h"

/* The result of one receive. The caller must close the fds or hand them on. */
struct wire_packet {
    uint8_t bytes[PROTO_PACKET_MAX];
    size_t len;
    int fds[PROTO_FDS_MAX]; /* close-on-exec; -1 beyond nfds */
    size_t nfds;
};

enum wire_result {
    WIRE_OK,
    WIRE_AGAIN, /* the socket would block */
    WIRE_GONE,  /* the peer hung up: end of file, EPIPE, ECONNRESET */
    WIRE_ERROR, /* err is set */
};

/* Never blocks, never raises SIGPIPE. */
enum wire_result wire_send(int fd, const void *packet, size_t len, const int *fds, size_t nfds,
                           struct err *err);

/* Never blocks. All results but WIRE_OK leave no descriptor open. WIRE_GONE has *reset true if the
 * peer closed without reading everything; its last packets may still be readable. */
enum wire_result wire_recv(int fd, struct wire_packet *packet, bool *reset, struct err *err);

/* Unpacks the message and checks the number of descriptors. On failure closes the packet's
 * descriptors. */
int wire_unpack(struct wire_packet *packet, struct proto_scratch *scratch, struct msg *msg,
                struct err *err);

void wire_close_fds(int *fds, size_t nfds);

#endif
