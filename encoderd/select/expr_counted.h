/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_counted: what is counted from genotypes.
 */
#ifndef VCZFS_SELECT_EXPR_COUNTED_H
#define VCZFS_SELECT_EXPR_COUNTED_H

#include "encoderd/select/expr_values.h"

/* AC, AN, AF, ... where the store has none. */
int eval_counted(struct expr_eval *eval, const struct bound *bound, struct err *err);

#endif
