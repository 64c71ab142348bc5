/*
 * sched_impl: what a scheduler consists of, for sched.c and its tests.
 */
#ifndef VCZFS_ENCODERD_SCHED_IMPL_H
#define VCZFS_ENCODERD_SCHED_IMPL_H

#include "encoderd/answers.h"
#include "encoderd/quick.h"
#include "encoderd/readers.h"
#include "encoderd/worker.h"

struct sched {
    struct sched_core core; /* says itself whose what is; all else is the server's thread's */
    struct workers workers;
    struct quick quick;
    struct readers readers;
    struct answers answers;
};

#endif
