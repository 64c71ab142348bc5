/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serving: an open view at work: its scheduler, the answers that are due, and what is freed when
 * idle.
 */
#ifndef VCZFS_SERVE_SERVING_H
#define VCZFS_SERVE_SERVING_H

#include "encoderd/serve/server_types.h"

/* server->view must be open. If this fails, serving_end must clean up. */
int serving_begin(struct server *server, struct err *err);

/* Closes the view, too. */
void serving_end(struct server *server);

/* A request came: answers are sent when all messages that have come are read, and the view is not
 * idle. */
void serving_expect(struct server *server);

#endif
