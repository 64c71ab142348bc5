/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse_ops: the kernel's requests. They are answered from the file table, or handed on to reads.
 */
#ifndef VCZFS_FUSED_SERVE_FUSE_OPS_H
#define VCZFS_FUSED_SERVE_FUSE_OPS_H

#include "fused/files/access_log.h"
#include "fused/files/fs.h"
#include "fused/files/lazy.h"
#include "fused/files/reads.h"
#include "fused/serve/fuse_api.h"
#include "fused/serve/status_file.h"

/* The session's user data; all borrowed. */
struct fuse_view {
    const struct fs *fs;
    struct reads *reads;
    struct lazy *lazy;
    struct status_file *status;
    struct access_log *log; /* may be NULL */
    uint64_t last_handle;
    bool inited; /* the kernel has been told our capabilities */
};

extern const struct fuse_lowlevel_ops fuse_ops;

#endif
