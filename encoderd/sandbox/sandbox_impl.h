/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_impl: the sandbox's parts. Each leaves out what cannot be had where it runs, and then
 * adds to `missing`, in words for a user, what the encoder can do because of that. Only sandbox*.c
 * and their test include this.
 */
#ifndef VCZFS_SANDBOX_SANDBOX_IMPL_H
#define VCZFS_SANDBOX_SANDBOX_IMPL_H

#include "encoderd/sandbox/sandbox.h"

/* One more thing that is missing; "; " stands between two. */
void sandbox_lacks(struct buf *missing, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Goes on as nobody if this is root and nobody may read the store, and gives up every capability
 * that reading does not take. */
int sandbox_drop_rights(const struct sandbox *sandbox, struct buf *missing, struct err *err);

/* Landlock: the store, for reading, is all that can be opened; no signal and no abstract socket
 * leaves the sandbox. *locked says whether it holds. */
int sandbox_lock_files(const struct sandbox *sandbox, bool *locked, struct buf *missing,
                       struct err *err);

/* seccomp: the calls that an encoder makes, in the forms in which it makes them (doc/SANDBOX.md).
 * openat2, whose flags no filter sees, is among them only if files are `locked`. */
void sandbox_filter_calls(bool locked, struct buf *missing);

#endif
