/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolved: opens a path that was resolved earlier.
 */
#ifndef VCZFS_COMMON_RESOLVED_H
#define VCZFS_COMMON_RESOLVED_H

/* Opens, with O_PATH, a path that realpath(3) returned. -1 with errno ELOOP if the path contains a
 * symbolic link by now. */
int resolved_open(const char *path);

#endif
