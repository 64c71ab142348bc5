/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tell: what the front is told beside answers.
 */
#ifndef VCZFS_SERVE_TELL_H
#define VCZFS_SERVE_TELL_H

#include "common/notices.h"
#include "encoderd/serve/server_types.h"

/* The request with this id failed. */
void tell_error(struct server *server, uint64_t id, const struct err *err);

void tell_notices(struct server *server, uint64_t id, const struct notices *notices);

/* What the sandbox lacks. Once a mount or report: a later encoder of the same mount lacks the
 * same. */
void tell_lacks(struct server *server, uint64_t id);

#endif
