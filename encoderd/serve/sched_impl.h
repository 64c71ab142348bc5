/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched_impl: what a scheduler consists of, for sched.c and its tests.
 */
#ifndef VCZFS_SERVE_SCHED_IMPL_H
#define VCZFS_SERVE_SCHED_IMPL_H

#include "encoderd/serve/answers.h"
#include "encoderd/serve/quick.h"
#include "encoderd/serve/readers.h"
#include "encoderd/serve/worker.h"

struct sched {
    struct sched_core core; /* says itself whose what is; all else is the server's thread's */
    struct workers workers;
    struct quick quick;
    struct readers readers;
    struct answers answers;
};

#endif
