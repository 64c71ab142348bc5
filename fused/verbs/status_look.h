/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_look: a mount's status as its front tells it, for whoever asks from outside: never waiting
 * long, since a front may be stopped, and never trusting the text, since the mount may be another
 * user's.
 */
#ifndef VCZFS_FUSED_VERBS_STATUS_LOOK_H
#define VCZFS_FUSED_VERBS_STATUS_LOOK_H

#include "common/buf.h"
#include "common/err.h"

#include <sys/types.h>

/* The text of one of the hidden files (STATUS_NAME_...) of the mount on `path`, canonical, with a
 * NUL behind it that out->len does not count. `dir` is what the user called it. Takes a second at
 * most. */
int status_look(const char *path, const char *dir, const char *name, struct buf *out,
                struct err *err);

/* What stands in a status as JSON behind `"key": ` after `"part": {`: a number; fallback if there
 * is none. */
double status_look_number(const char *json, const char *part, const char *key, double fallback);

/* Is it that string? */
bool status_look_is(const char *json, const char *part, const char *key, const char *value);

/* The front's process, or 0: unknown. */
pid_t status_look_front(const char *path);

#endif
