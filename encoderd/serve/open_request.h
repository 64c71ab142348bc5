/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_request: opens a view, and tells the front about its files.
 */
#ifndef VCZFS_SERVE_OPEN_REQUEST_H
#define VCZFS_SERVE_OPEN_REQUEST_H

#include "encoderd/serve/server_types.h"
#include "proto/proto.h"

/* The descriptors stay the caller's. */
void handle_open(struct server *server, const struct msg_open *open, const int *fds);

#endif
