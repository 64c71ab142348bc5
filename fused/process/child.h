/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child: waits for a child process, for a limited time.
 */
#ifndef VCZFS_FUSED_PROCESS_CHILD_H
#define VCZFS_FUSED_PROCESS_CHILD_H

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Waits at most timeout_ms for the child to end, and reaps it. True if it has ended. A signal ends
 * the waiting early. */
bool child_wait(pid_t pid, int timeout_ms, int *status);

/* Attributes that give a program which we start the default signal settings: nothing is blocked,
 * ignored or caught. The caller sets what the other `flags` need. Returns an errno. */
int child_attributes(posix_spawnattr_t *attr, short flags);

/* Writes "exited with status 3" or "was killed by signal 9 (Killed)" to text. */
void child_status_text(int status, char *text, size_t size);

#endif
