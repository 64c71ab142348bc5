/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: one packet and its descriptors through a SOCK_SEQPACKET socket.
 */
#ifndef VCZFS_PROTO_WIRE_H
#define VCZFS_PROTO_WIRE_H

#include "proto/proto.h"

/* What one receive gave. Owned by nobody: whoever holds it hands the fds on or closes them. */
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

/* Never blocks. On anything but WIRE_OK no descriptor is left open. WIRE_GONE comes with *reset
 * true when the peer went away without reading everything; its last packets may still be there. */
enum wire_result wire_recv(int fd, struct wire_packet *packet, bool *reset, struct err *err);

/* Unpacks and holds the number of descriptors against the message. On failure the packet's
 * descriptors are closed. */
int wire_unpack(struct wire_packet *packet, struct proto_scratch *scratch, struct msg *msg,
                struct err *err);

void wire_close_fds(int *fds, size_t nfds);

#endif
