/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info_request: makes a report on the store, for `vczfs info`.
 */
#ifndef VCZFS_SERVE_INFO_REQUEST_H
#define VCZFS_SERVE_INFO_REQUEST_H

#include "encoderd/serve/server_types.h"
#include "proto/proto.h"

/* The descriptors stay the caller's. */
void handle_info(struct server *server, const struct msg_info *info, const int *fds);

#endif
