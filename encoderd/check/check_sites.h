/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_sites: the sites, read one after the other as a view reads them.
 */
#ifndef VCZFS_CHECK_CHECK_SITES_H
#define VCZFS_CHECK_CHECK_SITES_H

#include "encoderd/check/check_state.h"
#include "encoderd/select/pass.h"

/* Where no single column that a site is read from has a problem already. -1 only when stopped. */
int check_sites(struct check *check, const struct pass_means *means, struct err *err);

#endif
