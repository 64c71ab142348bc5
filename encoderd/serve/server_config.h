/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_config: what the encoder's command line says of every conversation.
 */
#ifndef VCZFS_SERVE_SERVER_CONFIG_H
#define VCZFS_SERVE_SERVER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

struct server_config {
    uint64_t memory;   /* bytes: the arena and all scratch together */
    unsigned nthreads; /* workers; fewer are started if memory is too little for so many */
    bool no_sandbox;   /* for debugging */
};

#endif
