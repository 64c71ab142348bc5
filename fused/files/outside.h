/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outside: everything that reads and lazy files need from the rest of the front: time, the encoder,
 * the probe, and the kernel's requests. It is a table of functions, so that a test can replace them
 * all; serve/outside_link.h has the table of a mount.
 *
 * None of these functions calls back before it returns.
 */
#ifndef VCZFS_FUSED_FILES_OUTSIDE_H
#define VCZFS_FUSED_FILES_OUTSIDE_H

#include "fused/encoder/probe.h"
#include "fused/process/timers.h"

#include <sys/uio.h>

struct fuse_req; /* libfuse's; opaque here */

struct outside {
    struct timers timers;

    /* Requests to the encoder, allowed only between `up` and `down`. `read` ignores the message's
     * id; it chooses one and returns it. */
    uint64_t (*read)(const struct msg_read *read, void *arg);
    bool (*fetch)(const struct msg_fetch *fetch, void *arg); /* false: it was not asked */
    void (*give_back)(const uint64_t *leases, size_t nleases, void *arg);
    void (*release)(uint64_t handle, void *arg);

    /* About chunks that encoders died of: see probe_believe and probe_ask. */
    int (*believe)(const char *chunk, unsigned nagain, void *arg, struct err *err);
    enum probe_answer (*ask_probe)(const char *chunk, const struct question *question, void *arg);

    /* Each request is answered once, and does not exist afterwards. */
    void (*reply)(struct fuse_req *req, const struct iovec *pieces, int npieces);
    void (*reply_error)(struct fuse_req *req, int errnum);
    /* Makes gone(req, data) be called once when the program that made the request gives up on it,
     * perhaps at once. libfuse holds the request's lock during that call, so the answer must be
     * sent later from the loop. */
    void (*on_interrupt)(struct fuse_req *req, void (*gone)(struct fuse_req *req, void *data),
                         void *data);
    void *arg;
};

#endif
