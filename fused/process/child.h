/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child: waiting for a child process, but not for ever.
 */
#ifndef VCZFS_FUSED_PROCESS_CHILD_H
#define VCZFS_FUSED_PROCESS_CHILD_H

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Waits at most timeout_ms for the child to end, and reaps it: true if it did. A signal ends the
 * waiting early. */
bool child_wait(pid_t pid, int timeout_ms, int *status);

/* Nothing of our signals is a program's that we start: none is blocked, ignored or caught. `flags`
 * are for more attributes, which the caller sets. Returns an errno. */
int child_attributes(posix_spawnattr_t *attr, short flags);

/* "exited with status 3", "was killed by signal 9 (Killed)" into text. */
void child_status_text(int status, char *text, size_t size);

#endif
