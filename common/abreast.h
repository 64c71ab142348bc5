/* SPDX-License-Identifier: Apache-2.0 */
/*
 * abreast: independent pieces of work. One that takes next to no time is done on this thread;
 * pieces that have to wait for a disk or a server are done side by side.
 */
#ifndef VCZFS_COMMON_ABREAST_H
#define VCZFS_COMMON_ABREAST_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

/* The most pieces that wait at the same time. */
#define ABREAST_MOST 128

/* Calls one(arg, 0), ..., one(arg, n - 1). The calls run in this order on this thread until one of
 * them has to wait; the rest runs on up to ABREAST_MOST threads. If *waits is set, all of them run
 * on such threads from the start; it is set when a call had to wait. `disk`: see abreast_now.
 * Returns -1 with the error of the lowest number that failed; calls with higher numbers may not
 * have been made. */
int abreast_run(uint64_t n, bool disk, bool *waits,
                int (*one)(void *arg, uint64_t i, struct err *err), void *arg, struct err *err);

/* Has this thread probably waited since `moment`? Sets `moment` to now. Being preempted on a busy
 * machine does not count as waiting. With `disk`, all that can be waited for is a disk of this
 * machine: then only a thread that has read blocks has waited. */
struct abreast_moment {
    int64_t ns;
    bool disk;
    long nwaits;
};
struct abreast_moment abreast_now(bool disk);
bool abreast_waited(struct abreast_moment *since);

#endif
