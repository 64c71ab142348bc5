/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quick: small reads made by the server's own thread.
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

/* If all there is to do is one small span, makes it, with the help of workers where it has several
 * cells, dropping the lock meanwhile; false if there was more to do or it turned out to take long,
 * and the workers have to. Under the lock. */
bool quick_try(struct quick *quick);

#endif
