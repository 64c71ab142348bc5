/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: the FUSE connection as events on a loop: mount, serve, unmount.
 */
#ifndef VCZFS_FUSED_SERVE_SESSION_H
#define VCZFS_FUSED_SERVE_SESSION_H

#include "fused/serve/fuse_ops.h"

struct session;

struct session_config {
    struct event_base *base;
    struct fuse_view *view; /* borrowed */
    const char *source;     /* what mount(8) shows as the device */
    const char *dir;        /* canonical; what messages call it */
    int dir_fd;  /* the directory itself (O_PATH): it may be somewhere else by now. The session's
                    from here on */
    bool handed; /* dir is a FUSE descriptor, "/dev/fd/N", which somebody else mounts and unmounts;
                    dir_fd is -1 */
    bool allow_other;
};

struct session_handlers {
    void (*ready)(void *arg); /* the kernel and we have agreed: requests are being served */
    void (*ended)(void *arg); /* it was unmounted by somebody else */
};

/* Mounts. NULL with a message if that fails; dir_fd is taken over in any case. */
struct session *session_new(const struct session_config *config,
                            const struct session_handlers *handlers, void *arg, struct err *err);

/* Unmounts, also when files are in use, and never waits for anybody. No request is served any more;
 * those not answered yet must be answered before session_free all the same, to be freed. */
void session_unmount(struct session *session);
void session_free(struct session *session);

#endif
