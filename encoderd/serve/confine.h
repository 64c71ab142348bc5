/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine: enters the sandbox when the store is known.
 */
#ifndef VCZFS_SERVE_CONFINE_H
#define VCZFS_SERVE_CONFINE_H

#include "encoderd/serve/server_types.h"

/* To be called before the store is opened: opens the temporary files, which cannot be opened later,
 * and enters the sandbox. The sandbox allows the first store that is named: an encoder serves only
 * one. */
int confine_to(struct server *server, const char *store, bool follow_links, struct err *err);

#endif
