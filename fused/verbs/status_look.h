/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_look: reads the status of a mount from outside. It never waits long, because the front may
 * be stopped, and it never trusts the text, because the mount may be another user's.
 */
#ifndef VCZFS_FUSED_VERBS_STATUS_LOOK_H
#define VCZFS_FUSED_VERBS_STATUS_LOOK_H

#include "common/buf.h"
#include "common/err.h"

#include <sys/types.h>

/* Reads one of the hidden files (STATUS_NAME_...) of the mount on `path`, a canonical path. The
 * text ends with a NUL that out->len does not count. `dir` is the name for messages. Takes a second
 * at most. */
int status_look(const char *path, const char *dir, const char *name, struct buf *out,
                struct err *err);

/* The number at `key` of `part` in a status as JSON; fallback if there is none. */
double status_look_number(const char *json, const char *part, const char *key, double fallback);

/* Is it that string? */
bool status_look_is(const char *json, const char *part, const char *key, const char *value);

/* The process id of the front, or 0 if it is not known. */
pid_t status_look_front(const char *path);

#endif
