/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serving: the open view at work: its scheduler, the answers that are due, and what idleness gives
 * back.
 */
#ifndef VCZFS_SERVE_SERVING_H
#define VCZFS_SERVE_SERVING_H

#include "encoderd/serve/server_types.h"

/* With server->view open. What was begun before a failure is for serving_end. */
int serving_begin(struct server *server, struct err *err);

/* Closes the view, too. */
void serving_end(struct server *server);

/* Something was asked for: answers go out when all messages that have come are read, and nothing
 * is idle for a while. */
void serving_expect(struct server *server);

#endif
