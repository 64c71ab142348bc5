/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch_request: makes lazy files, each when it is fetched.
 */
#ifndef VCZFS_SERVE_FETCH_REQUEST_H
#define VCZFS_SERVE_FETCH_REQUEST_H

#include "encoderd/serve/server_types.h"
#include "proto/proto.h"

void handle_fetch(struct server *server, const struct msg_fetch *request);

/* Ends all fetches in progress, before the view is closed. */
void fetches_end(struct server *server);

#endif
