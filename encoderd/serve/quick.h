/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quick: small reads that the server's own thread makes.
 */
#ifndef VCZFS_SERVE_QUICK_H
#define VCZFS_SERVE_QUICK_H

#include "encoderd/serve/make.h"

/* The server's thread's. */
struct quick {
    struct maker maker;
};

int quick_init(struct quick *quick, struct sched_core *core, struct err *err);
void quick_clear(struct quick *quick);
void quick_trim(struct quick *quick);

/* If the only work is one small span, makes it, and drops the lock meanwhile; workers help if it
 * has several cells. False if there is more work, or if the span takes long: then the workers must
 * make it. Under the lock. */
bool quick_try(struct quick *quick);

#endif
