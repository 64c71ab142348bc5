/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolved: opening by a path that was resolved before.
 */
#ifndef VCZFS_COMMON_RESOLVED_H
#define VCZFS_COMMON_RESOLVED_H

/* What is at a path that realpath(3) has given, as a descriptor with O_PATH. If somebody has put a
 * symbolic link in its place or above it since, -1 with errno ELOOP. */
int resolved_open(const char *path);

#endif
