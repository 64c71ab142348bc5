/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox: what an encoder may do once it knows which store it serves.
 *
 * An encoder parses files that anyone may have written. Before it parses the first one, it gives up
 * everything but reading that store and communicating on descriptors that it already has: no other
 * file, no program, no network, no other process, no privilege. Landlock restricts the files,
 * seccomp the system calls. An encoder that was started by root goes on as user nobody if that user
 * may read the store; if it must stay root, it keeps only the right to read. doc/SANDBOX.md has the
 * list, with reasons.
 */
#ifndef VCZFS_SANDBOX_SANDBOX_H
#define VCZFS_SANDBOX_SANDBOX_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>

struct sandbox {
    const char *store; /* path: this, and everything below it, stays readable */
    /* links in it may lead anywhere, so everything stays readable; nothing stays writable */
    bool follow_links;
};

/* Enters the sandbox. To be called before any other thread is started. A step that is not possible
 * here (no Landlock in the kernel, a container's root that may not change its user) is left out:
 * even without it an encoder is more restricted than with --no-sandbox. What the encoder can then
 * still do is appended to `missing`, for the user. It is an error if the store cannot be reached,
 * or if a step failed halfway. A build with sanitizers, which need more rights than any store does,
 * only logs that there is no sandbox. */
int sandbox_enter(const struct sandbox *sandbox, struct buf *missing, struct err *err);

#endif
