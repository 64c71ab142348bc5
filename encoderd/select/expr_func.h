/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_func: functions of expressions.
 */
#ifndef VCZFS_SELECT_EXPR_FUNC_H
#define VCZFS_SELECT_EXPR_FUNC_H

#include "encoderd/select/expr_values.h"

int eval_call(struct expr_eval *eval, const struct bound *bound, struct err *err);

#endif
