/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: one front's conversation with the encoder.
 */
#ifndef VCZFS_SERVE_SERVER_H
#define VCZFS_SERVE_SERVER_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

struct server_config {
    uint64_t memory;   /* bytes: the arena and all scratch together */
    unsigned nthreads; /* workers; fewer are started if memory is too little for so many */
    bool no_sandbox;   /* for debugging */
};

/* Serves the front on `fd` (which it takes) until the connection ends; *err then says how it did.
 * Returns -1 if it could not begin. */
int server_run(int fd, const struct server_config *config, struct err *err);

#endif
