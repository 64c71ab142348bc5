/* SPDX-License-Identifier: Apache-2.0 */
/*
 * background: the process that mounts in the background, and the one that waits for it.
 */
#ifndef VCZFS_FUSED_PROCESS_BACKGROUND_H
#define VCZFS_FUSED_PROCESS_BACKGROUND_H

#include "common/err.h"

/* Forks. In the child, which has all the work to do, returns a descriptor for the functions below.
 * In the parent it does not return: it exits 0 once the child is ready and the mount on dir
 * answers, 1 if not. -1 with a message if there is no child. dir NULL: nobody here can ask that
 * mount. */
int background_fork(const char *dir, struct err *err);

/* From the child: the mount is ready. Leaves the terminal: a session of its own, stdin, stdout and
 * (unless it is stderr_fd that logs go to, which then takes its place) stderr to nowhere, cwd /.
 * -1 if the parent is gone, and with it whoever wanted the mount. status_fd is closed. */
int background_ready(int status_fd, int stderr_fd);

#endif
