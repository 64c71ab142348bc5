/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight: finds what can be known to be wrong before anything is started.
 */
#ifndef VCZFS_FUSED_MOUNTS_PREFLIGHT_H
#define VCZFS_FUSED_MOUNTS_PREFLIGHT_H

#include "common/err.h"

#include <stdbool.h>

/* Can FUSE be used? It needs /dev/fuse; a user who may not mount also needs fusermount3, and
 * permission for allow_other. */
int preflight_fuse(bool allow_other, struct err *err);

/* Checks that dir is an empty directory on which nothing is mounted. A dead mount of vczfs on it is
 * unmounted first, with a line on stderr. Returns the canonical path; *fd is the directory itself
 * (O_PATH), which stays the one that was checked even if somebody moves or replaces it. The caller
 * owns both. */
char *preflight_dir(const char *dir, int *fd, struct err *err);

/* Is dir "/dev/fd/N", a FUSE descriptor that somebody else opened and mounted for us (Apptainer's
 * --fusemount, a Kubernetes sidecar)? libfuse accepts that as a mount point. */
bool preflight_is_descriptor(const char *dir);

/* Checks that the descriptor is open and is /dev/fuse. Also keeps it from processes that we
 * start. */
int preflight_descriptor(const char *dir, struct err *err);

/* Checks that the directory is empty. `dir` is its name in messages. */
int preflight_empty(int fd, const char *dir, struct err *err);

/* Finds out whether the two arguments of a mount were given in the wrong order. */
int preflight_order(const char *store, const char *dir, struct err *err);

/* The absolute path of the store, owned by the caller. Text that looks like a URL is returned
 * unchanged. */
char *preflight_store(const char *store, struct err *err);

/* Checks that an encoder which we start will be able to read the store, as far as that can be
 * known. */
int preflight_readable(const char *store, struct err *err);

#endif
