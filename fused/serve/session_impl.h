/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What session.c (serving) and session_mount.c (mounting) share.
 */
#ifndef VCZFS_FUSED_SERVE_SESSION_IMPL_H
#define VCZFS_FUSED_SERVE_SESSION_IMPL_H

#include "fused/mounts/mounts.h"
#include "fused/serve/session.h"

struct session {
    struct session_config config;
    int dir_fd; /* owned; -1: none */
    const struct session_handlers *handlers;
    void *arg;
    struct fuse_session *fuse;
    struct event *readable;
    struct fuse_buf buf; /* libfuse allocates its mem with malloc on first use */
    bool ready;
    struct mount_entry mounted; /* the mount, wherever it is now; device "": not known */
};

/* Mounts session->fuse on the configured directory, or uses the descriptor that somebody else
 * mounted. */
int session_mount(struct session *session, struct err *err);

#endif
