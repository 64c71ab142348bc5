/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_walk: checks every chunk of every array, in several threads.
 */
#ifndef VCZFS_CHECK_CHECK_WALK_H
#define VCZFS_CHECK_CHECK_WALK_H

#include "encoderd/check/check_state.h"
#include "encoderd/select/pass.h"

int check_walk(struct check *check, const struct pass_means *means, struct err *err);

#endif
