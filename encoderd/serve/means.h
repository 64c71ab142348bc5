/* SPDX-License-Identifier: Apache-2.0 */
/*
 * means: what a pass over the store may use, and how the front hears of it.
 */
#ifndef VCZFS_SERVE_MEANS_H
#define VCZFS_SERVE_MEANS_H

#include "encoderd/select/pass.h"
#include "encoderd/serve/budget.h"
#include "encoderd/serve/server_types.h"

struct budget server_budget(const struct server *server);

/* For a pass that the request server->open_id waits for: `progress` goes to the front under that
 * id, and stops the pass once the front is gone. */
struct pass_means server_means(struct server *server);

#endif
