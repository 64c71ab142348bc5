/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight: what can be known to go wrong before anything is started.
 */
#ifndef VCZFS_FUSED_MOUNTS_PREFLIGHT_H
#define VCZFS_FUSED_MOUNTS_PREFLIGHT_H

#include "common/err.h"

#include <stdbool.h>

/* FUSE is there and lets us in: /dev/fuse, and for a user who may not mount, fusermount3 and
 * permission for allow_other. */
int preflight_fuse(bool allow_other, struct err *err);

/* dir is an empty directory that nothing is mounted on. A vczfs mount on it that nobody serves any
 * more is cleared away first, and said so on stderr. Returns the canonical path, the caller's, as
 * *fd is: the directory itself (O_PATH), which is what was looked at, whoever moves it or puts
 * something in its place afterwards. */
char *preflight_dir(const char *dir, int *fd, struct err *err);

/* Is dir "/dev/fd/N", a FUSE descriptor that somebody has opened and mounted for us (Apptainer's
 * --fusemount, a Kubernetes sidecar)? libfuse takes that for a mount point. */
bool preflight_is_descriptor(const char *dir);

/* It is open, and /dev/fuse; no process that we start will have it. */
int preflight_descriptor(const char *dir, struct err *err);

/* Nothing is in the directory, which `dir` names. */
int preflight_empty(int fd, const char *dir, struct err *err);

/* Were the two arguments of a mount given in the wrong order? */
int preflight_order(const char *store, const char *dir, struct err *err);

/* The store's absolute path, the caller's; what looks like an URL is passed as it is. */
char *preflight_store(const char *store, struct err *err);

/* Nothing is known to keep an encoder that we start from the store. */
int preflight_readable(const char *store, struct err *err);

#endif
