/* SPDX-License-Identifier: Apache-2.0 */
/*
 * means: the resources of a pass over the store, and its progress for the front.
 */
#ifndef VCZFS_SERVE_MEANS_H
#define VCZFS_SERVE_MEANS_H

#include "encoderd/select/pass.h"
#include "encoderd/serve/budget.h"
#include "encoderd/serve/server_types.h"

struct budget server_budget(const struct server *server);

/* For a pass that serves request server->open_id: `progress` is sent to the front with that id, and
 * stops the pass once the front is gone. */
struct pass_means server_means(struct server *server);

#endif
