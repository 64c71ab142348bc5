/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_gt: what GT is compared with.
 */
#ifndef VCZFS_SELECT_EXPR_GT_H
#define VCZFS_SELECT_EXPR_GT_H

#include "encoderd/select/expr_values.h"

int eval_compare_gt(struct expr_eval *eval, const struct bound *bound, struct err *err);

#endif
