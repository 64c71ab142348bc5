/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What serving a session (session.c) and its mount (session_mount.c) share.
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
    struct fuse_buf buf; /* mem is malloc'd by libfuse on first use */
    bool ready;
    struct mount_entry mounted; /* wherever that is now; device "" if it is not known */
};

/* Mounts session->fuse where the configuration says, or takes the descriptor that somebody else has
 * mounted. */
int session_mount(struct session *session, struct err *err);

#endif
