/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_config: what the encoder's command line sets for all conversations.
 */
#ifndef VCZFS_SERVE_SERVER_CONFIG_H
#define VCZFS_SERVE_SERVER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

struct server_config {
    uint64_t memory;   /* bytes: the arena and all scratch together */
    unsigned nthreads; /* workers; fewer are started if there is too little memory for them */
    bool no_sandbox;   /* for debugging */
};

#endif
