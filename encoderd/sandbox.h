/*
 * sandbox: what an encoder may do once it knows which store it serves.
 *
 * An encoder parses files that anyone may have written. Before it parses the first one it gives up
 * everything but reading that store and talking on descriptors that it already has: no other file, no
 * program, no network, no privilege. Landlock holds the files, seccomp the system calls, and an encoder
 * that was started by root goes on as nobody if nobody may read the store; of a root that stays, nothing is
 * left but the right to read.
 */
#ifndef VCZFS_ENCODERD_SANDBOX_H
#define VCZFS_ENCODERD_SANDBOX_H

#include "common/err.h"

#include <stdbool.h>

struct sandbox {
    const char *store; /* path: readable, with everything below it */
    bool
        follow_links; /* links in it may lead anywhere, so everything is readable; nothing is writable */
};

/* Before any other thread is started. What the kernel does not have (no Landlock) is logged and left
 * out; what it has and refuses is an error. In a build with sanitizers, which need more than any store
 * does, it only logs that it did nothing. */
int sandbox_enter(const struct sandbox *sandbox, struct err *err);

#endif
