/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: one line per event that matters, to stderr or a file.
 *
 * "2026-11-20T09:31:02.123Z vczfs[4711] info: text". Thread-safe. The level and the destination
 * belong to the process; main sets them once, at the start.
 */
#ifndef VCZFS_COMMON_LOG_H
#define VCZFS_COMMON_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Call it before any other thread starts. `program` must live until the process ends. Lines go to
 * `fd`, which stays the caller's. */
void log_init(const char *program, enum log_level level, int fd);

/* "error", "warning", "info", "debug", in any case; false for anything else. */
bool log_level_parse(const char *text, enum log_level *out);

bool log_enabled(enum log_level level);

/* Do log lines go to stderr? If not, a message that is printed on stderr for the user should be
 * logged, too. */
bool log_is_stderr(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
