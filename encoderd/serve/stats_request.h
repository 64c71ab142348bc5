/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats_request: the counters.
 */
#ifndef VCZFS_SERVE_STATS_REQUEST_H
#define VCZFS_SERVE_STATS_REQUEST_H

#include "encoderd/serve/server_types.h"
#include "proto/proto.h"

void handle_stats(struct server *server, const struct msg_stats *request);

#endif
