/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_files: how many files a process may have open (RLIMIT_NOFILE), and how many the programs
 * need.
 */
#ifndef VCZFS_COMMON_OPEN_FILES_H
#define VCZFS_COMMON_OPEN_FILES_H

#include "common/err.h"

#include <stdint.h>

/* What an encoder with one thread needs with the formats and stores that need most. Each further
 * thread needs OPEN_FILES_THREAD more. The front needs fewer. */
#define OPEN_FILES_BASE   32
#define OPEN_FILES_THREAD 32
#define OPEN_FILES_LEAST  (OPEN_FILES_BASE + OPEN_FILES_THREAD)

/* Raises the soft limit to `wanted`, or to the hard limit if that is lower. ERR_SYSTEM, with the
 * number that is needed, if the result is below OPEN_FILES_LEAST. A high limit is safe here: the
 * usual low one protects programs that call select(2), and neither program does. */
int open_files_raise(uint64_t wanted, struct err *err);

/* How many threads the limit allows: at least one, at most `wanted`. */
unsigned open_files_threads(unsigned wanted);

#endif
