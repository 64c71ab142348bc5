/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched_impl: the parts of a scheduler, for sched.c and its tests.
 */
#ifndef VCZFS_SERVE_SCHED_IMPL_H
#define VCZFS_SERVE_SCHED_IMPL_H

#include "encoderd/serve/answers.h"
#include "encoderd/serve/quick.h"
#include "encoderd/serve/readers.h"
#include "encoderd/serve/worker.h"

struct sched {
    /* says which threads may use what; all else belongs to the server's thread */
    struct sched_core core;
    struct workers workers;
    struct quick quick;
    struct readers readers;
    struct answers answers;
};

#endif
