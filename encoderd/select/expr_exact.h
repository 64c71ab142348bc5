/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_exact: exact tests of expressions: binom() and fisher().
 */
#ifndef VCZFS_SELECT_EXPR_EXACT_H
#define VCZFS_SELECT_EXPR_EXACT_H

#include "encoderd/select/expr_values.h"

int eval_exact(struct expr_eval *eval, const struct bound *bound, struct err *err);

#endif
