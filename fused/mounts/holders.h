/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holders: finds the processes that use a mount, from /proc, without touching the mount.
 */
#ifndef VCZFS_FUSED_MOUNTS_HOLDERS_H
#define VCZFS_FUSED_MOUNTS_HOLDERS_H

#include <stddef.h>
#include <sys/types.h>

/* Writes text like "1234 (plink2), 1240 (bash), and others": the processes that have an open file
 * or a directory below `path`, a canonical path. Only root can see other users' processes. "" if
 * none is found. `front`, the mount's own process, is left out, because it always holds the
 * directory under the mount. */
void holders_text(const char *path, pid_t front, char *text, size_t size);

#endif
