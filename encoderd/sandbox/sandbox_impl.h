/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_impl: the parts of the sandbox. Each part leaves out what is not possible where it runs,
 * and then adds to `missing`, in words for a user, what the encoder can still do because of that.
 * Only sandbox*.c and their test include this.
 */
#ifndef VCZFS_SANDBOX_SANDBOX_IMPL_H
#define VCZFS_SANDBOX_SANDBOX_IMPL_H

#include "encoderd/sandbox/sandbox.h"

/* Appends one more thing that is missing, after "; " if it is not the first. */
void sandbox_lacks(struct buf *missing, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* If this is root and the user nobody may read the store, goes on as that user. Gives up every
 * capability that reading does not need. */
int sandbox_drop_rights(const struct sandbox *sandbox, struct buf *missing, struct err *err);

/* Landlock: nothing but the store can be opened, and only for reading; no signal and no abstract
 * socket leaves the sandbox. *locked says whether that is in force. */
int sandbox_lock_files(const struct sandbox *sandbox, bool *locked, struct buf *missing,
                       struct err *err);

/* seccomp: allows the calls that an encoder makes, in the forms in which it makes them
 * (doc/SANDBOX.md). It allows openat2, whose flags no filter sees, only if files are `locked`. */
void sandbox_filter_calls(bool locked, struct buf *missing);

#endif
