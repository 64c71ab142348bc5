/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen: an encoder that waits for fronts to connect, instead of one that a front starts.
 */
#ifndef VCZFS_SERVE_LISTEN_H
#define VCZFS_SERVE_LISTEN_H

#include "encoderd/serve/server.h"

/* Serves every front that connects to the socket at `path` (made with mode 0600). Each front has
 * its own process, so that a front that makes its encoder fail cannot affect another's mount. Ends
 * on SIGINT or SIGTERM, and these processes end with it. Returns an exit status. */
int listen_run(const char *path, const struct server_config *config);

#endif
