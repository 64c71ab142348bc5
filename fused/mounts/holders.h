/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holders: who keeps a mount in use, as far as /proc tells, without touching the mount itself.
 */
#ifndef VCZFS_FUSED_MOUNTS_HOLDERS_H
#define VCZFS_FUSED_MOUNTS_HOLDERS_H

#include <stddef.h>
#include <sys/types.h>

/* "1234 (plink2), 1240 (bash), and others" into text: processes with a file open or a directory of
 * theirs below `path`, a canonical directory. Of other users' processes only root learns. "" if
 * none is found. `front`, the mount's own process, which keeps the directory below the mount open,
 * is none of them. */
void holders_text(const char *path, pid_t front, char *text, size_t size);

#endif
