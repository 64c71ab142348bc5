/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen: an encoder that fronts come to, instead of one that a front starts.
 */
#ifndef VCZFS_SERVE_LISTEN_H
#define VCZFS_SERVE_LISTEN_H

#include "encoderd/serve/server.h"

/* Serves every front that connects to the socket at `path` (made with mode 0600), a process for
 * each, so that what one front brings about cannot touch another's mount. Until SIGINT or SIGTERM;
 * the processes go with it. Returns an exit status. */
int listen_run(const char *path, const struct server_config *config);

#endif
