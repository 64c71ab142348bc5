/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_request: reads of stream files, and their leases.
 */
#ifndef VCZFS_SERVE_READ_REQUEST_H
#define VCZFS_SERVE_READ_REQUEST_H

#include "encoderd/serve/server_types.h"
#include "proto/proto.h"

void handle_read(struct server *server, const struct msg_read *read);
void handle_return(struct server *server, const struct msg_return *ret);
void handle_release(struct server *server, const struct msg_release *release);

#endif
