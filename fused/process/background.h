/* SPDX-License-Identifier: Apache-2.0 */
/*
 * background: the process that mounts in the background, and its parent, which waits for it.
 */
#ifndef VCZFS_FUSED_PROCESS_BACKGROUND_H
#define VCZFS_FUSED_PROCESS_BACKGROUND_H

#include "common/err.h"

/* Forks. The child goes on; in it this function returns a descriptor for the functions below. The
 * parent never returns: it exits with 0 once the child is ready and the mount on dir answers, else
 * with 1. Returns -1, with a message, if there is no child. If dir is NULL, the parent does not ask
 * the mount. */
int background_fork(const char *dir, struct err *err);

/* The child calls it when the mount is ready. It leaves the terminal: it starts a session of its
 * own, changes to /, and connects stdin and stdout to /dev/null. stderr becomes stderr_fd if log
 * lines go there, else /dev/null. status_fd is closed. -1 if the parent has ended: then nobody
 * waits for the mount any more. */
int background_ready(int status_fd, int stderr_fd);

#endif
