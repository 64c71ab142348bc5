/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: the encoder's conversation with one front.
 */
#ifndef VCZFS_SERVE_SERVER_H
#define VCZFS_SERVE_SERVER_H

#include "common/err.h"
#include "encoderd/serve/server_config.h"

/* Serves the front on `fd` (whose ownership it takes) until the connection ends; *err then says
 * why. Returns -1 if it could not begin. */
int server_run(int fd, const struct server_config *config, struct err *err);

#endif
