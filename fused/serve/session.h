/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: the FUSE connection as events on a loop: mounts, serves and unmounts.
 */
#ifndef VCZFS_FUSED_SERVE_SESSION_H
#define VCZFS_FUSED_SERVE_SESSION_H

#include "fused/serve/fuse_ops.h"

struct session;

struct session_config {
    struct event_base *base;
    struct fuse_view *view; /* borrowed */
    const char *source;     /* what mount(8) shows as the device */
    const char *dir;        /* canonical; its name in messages */
    int dir_fd;  /* the directory itself (O_PATH), which may have moved; the session owns it */
    bool handed; /* dir is "/dev/fd/N", a FUSE descriptor that somebody else mounts and unmounts;
                    dir_fd is -1 */
    bool allow_other;
};

struct session_handlers {
    void (*ready)(void *arg); /* the FUSE handshake is done; requests are served */
    void (*ended)(void *arg); /* somebody else unmounted it */
};

/* Mounts. Returns NULL, with a message, on failure. It takes over dir_fd in any case. */
struct session *session_new(const struct session_config *config,
                            const struct session_handlers *handlers, void *arg, struct err *err);

/* Unmounts even if files are in use, and never waits. No further request is served. Requests that
 * were not answered must still be answered before session_free, because that frees them. */
void session_unmount(struct session *session);
void session_free(struct session *session);

#endif
