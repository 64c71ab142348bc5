/* SPDX-License-Identifier: Apache-2.0 */
/*
 * abreast: independent pieces of work that take next to no time, unless a disk or a server has to
 * be waited for: then side by side.
 */
#ifndef VCZFS_COMMON_ABREAST_H
#define VCZFS_COMMON_ABREAST_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

/* So many wait at once, at most. */
#define ABREAST_MOST 128

/* Calls one(arg, 0), ..., one(arg, n - 1), in this order and on this thread for as long as each is
 * done at once; from the first one that was not, on as many threads as ABREAST_MOST. -1, and the
 * error of the first one, in order, that failed: those after it may not have been called. */
int abreast_run(uint64_t n, int (*one)(void *arg, uint64_t i, struct err *err), void *arg,
                struct err *err);

/* The same, from the first on on as many threads: for what is known to wait. */
int abreast_run_wide(uint64_t n, int (*one)(void *arg, uint64_t i, struct err *err), void *arg,
                     struct err *err);

/* Does what this thread did since that moment seem to have waited? The moment becomes now. Being
 * one of many on a busy machine is no wait. */
struct abreast_moment {
    int64_t ns;
    long nwaits;
};
struct abreast_moment abreast_now(void);
bool abreast_waited(struct abreast_moment *since);

#endif
