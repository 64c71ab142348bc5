/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outside: all that reads and lazy files need of the rest of the front: time, the encoder, what is
 * known of its chunks, and the kernel's requests. A table of functions, so that a test can be all
 * of these; serve/outside_link.h has the one of a mount.
 *
 * None of these functions calls back before it returns.
 */
#ifndef VCZFS_FUSED_FILES_OUTSIDE_H
#define VCZFS_FUSED_FILES_OUTSIDE_H

#include "fused/encoder/probe.h"
#include "fused/process/timers.h"

#include <sys/uio.h>

struct fuse_req; /* libfuse's, and nobody looks into it here */

struct outside {
    struct timers timers;

    /* The encoder. Nothing is asked of it but between `up` and `down`. `read` chooses the id (that
     * of the message is ignored) and returns it. */
    uint64_t (*read)(const struct msg_read *read, void *arg);
    bool (*fetch)(const struct msg_fetch *fetch, void *arg); /* false: it was not asked */
    void (*give_back)(const uint64_t *leases, size_t nleases, void *arg);
    void (*release)(uint64_t handle, void *arg);

    /* Chunks that encoders died of: see probe_believe and probe_ask. */
    int (*believe)(const char *chunk, unsigned nagain, void *arg, struct err *err);
    enum probe_answer (*ask_probe)(const char *chunk, const struct question *question, void *arg);

    /* Each request is answered once, and is gone then. */
    void (*reply)(struct fuse_req *req, const struct iovec *pieces, int npieces);
    void (*reply_error)(struct fuse_req *req, int errnum);
    /* gone(req, data) is called once whoever made the request does not want it any more; perhaps at
     * once. libfuse holds the request's lock then: the answer has to wait for the loop. */
    void (*on_interrupt)(struct fuse_req *req, void (*gone)(struct fuse_req *req, void *data),
                         void *data);
    void *arg;
};

#endif
