/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tell: messages to the front other than answers.
 */
#ifndef VCZFS_SERVE_TELL_H
#define VCZFS_SERVE_TELL_H

#include "common/notices.h"
#include "encoderd/serve/server_types.h"

/* The request with this id failed. */
void tell_error(struct server *server, uint64_t id, const struct err *err);

void tell_notices(struct server *server, uint64_t id, const struct notices *notices);

/* Tells what the sandbox lacks; once for a mount or report, because a later encoder of the same
 * mount lacks the same. */
void tell_lacks(struct server *server, uint64_t id);

#endif
