/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_load: the leaves of an expression, which are read from the store.
 */
#ifndef VCZFS_SELECT_EXPR_LOAD_H
#define VCZFS_SELECT_EXPR_LOAD_H

#include "encoderd/select/expr_values.h"

int eval_load(struct expr_eval *eval, const struct bound *bound, struct err *err);

#endif
