/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_talk: conversations as fuzz inputs: packet after packet, each with its descriptors, sent
 * into one end of a socket.
 *
 * An input is a run of: one byte (bits 0-1: how many descriptors; bits 2-3: of which kind), two
 * bytes of length, little-endian, and the packet.
 */
#ifndef VCZFS_TESTS_FUZZ_TALK_H
#define VCZFS_TESTS_FUZZ_TALK_H

#include "common/memfd.h"
#include "proto/wire.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <unistd.h>

#define TALK_MEMFD_NBYTES (UINT64_C(1) << 20)

/* A descriptor of the kind: a sealed memfd, one that is not sealed, a short sealed one, a pipe's
 * end. */
static inline int talk_fd(unsigned kind)
{
    struct err err = {0};
    int fds[2], fd;

    switch (kind) {
    case 0:
        return memfd_arena("fuzz", TALK_MEMFD_NBYTES, &err);
    case 1:
        return memfd_open("fuzz", &err);
    case 2:
        fd = memfd_open("fuzz", &err);
        REQUIRE(fd >= 0 && ftruncate(fd, 4096) == 0 && memfd_seal(fd, &err) == 0);
        return fd;
    default:
        REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
        close(fds[1]);
        return fds[0];
    }
}

/* Sends the next packet of the input; false at its end, or when the socket is closed or full. */
static inline bool talk_send(int to, const uint8_t **data, size_t *size)
{
    const uint8_t flags = take_byte(data, size);
    size_t n = (size_t)take_number(data, size, 2), nfds = flags & 3u;
    int fds[PROTO_FDS_MAX];
    enum wire_result result;
    struct err err = {0};

    n = n < *size ? n : *size;
    if (n == 0)
        return false;
    nfds = nfds < PROTO_FDS_MAX ? nfds : PROTO_FDS_MAX;
    for (size_t i = 0; i < nfds; i++) {
        fds[i] = talk_fd(flags >> 2 & 3u);
        REQUIRE(fds[i] >= 0);
    }
    result = wire_send(to, *data, n, fds, nfds, &err);
    wire_close_fds(fds, nfds);
    *data += n;
    *size -= n;
    return result == WIRE_OK;
}

#endif
