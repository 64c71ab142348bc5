/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine: the sandbox, once the store is known.
 */
#ifndef VCZFS_SERVE_CONFINE_H
#define VCZFS_SERVE_CONFINE_H

#include "encoderd/serve/server_types.h"

/* Before the store is opened: opens the temporary files, which cannot be had later, and enters the
 * sandbox. Its one store is the first that is named: an encoder serves one. */
int confine_to(struct server *server, const char *store, bool follow_links, struct err *err);

#endif
