/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_files: how many files a process may have open (RLIMIT_NOFILE), and how many the programs
 * need.
 */
#ifndef VCZFS_COMMON_OPEN_FILES_H
#define VCZFS_COMMON_OPEN_FILES_H

#include "common/err.h"

#include <stdint.h>

/* An encoder with one thread, in the worst of formats and stores; each further thread takes as many
 * again as OPEN_FILES_THREAD. The front takes fewer. */
#define OPEN_FILES_BASE   32
#define OPEN_FILES_THREAD 32
#define OPEN_FILES_LEAST  (OPEN_FILES_BASE + OPEN_FILES_THREAD)

/* Raises the soft limit to `wanted`, or as far as the hard one goes. ERR_SYSTEM and the number that
 * is needed if that is less than OPEN_FILES_LEAST. Nothing in either program uses select(2), whose
 * sets are what the low limit that processes begin with is for. */
int open_files_raise(uint64_t wanted, struct err *err);

/* Threads that the limit is enough for, up to `wanted`, and one at the least. */
unsigned open_files_threads(unsigned wanted);

#endif
