/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox: what an encoder may do once it knows which store it serves.
 *
 * An encoder parses files that anyone may have written. Before it parses the first one it gives up
 * everything but reading that store and talking on descriptors that it already has: no other file,
 * no program, no network, no other process, no privilege. Landlock holds the files, seccomp the
 * system calls, and an encoder that was started by root goes on as nobody if nobody may read the
 * store; of a root that stays, nothing is left but the right to read. doc/SANDBOX.md has the list,
 * with reasons.
 */
#ifndef VCZFS_SANDBOX_SANDBOX_H
#define VCZFS_SANDBOX_SANDBOX_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>

struct sandbox {
    const char *store; /* path: readable, with everything below it */
    bool follow_links; /* links in it may lead anywhere, so everything is readable; nothing is
                          writable */
};

/* Before any other thread is started. A step that cannot be taken here (no Landlock in the kernel,
 * a container's root that may not change its user) is left out: without it an encoder is still
 * better held than with
 * --no-sandbox. What it can do because of that is appended to `missing`, for the user to hear. An
 * error is a store that cannot be reached, or a step that failed halfway. In a build with
 * sanitizers, which need more than any store does, it only logs that it did nothing. */
int sandbox_enter(const struct sandbox *sandbox, struct buf *missing, struct err *err);

#endif
