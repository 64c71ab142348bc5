/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_sites: reads all sites in order, as a view does.
 */
#ifndef VCZFS_CHECK_CHECK_SITES_H
#define VCZFS_CHECK_CHECK_SITES_H

#include "encoderd/check/check_state.h"
#include "encoderd/select/pass.h"

/* Does nothing if a column that a site is read from has a problem already. -1 only if stopped. */
int check_sites(struct check *check, const struct pass_means *means, struct err *err);

#endif
