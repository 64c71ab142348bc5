/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_numbers: numbers in expressions: arithmetic, and comparisons as bcftools makes them.
 */
#ifndef VCZFS_SELECT_EXPR_NUMBERS_H
#define VCZFS_SELECT_EXPR_NUMBERS_H

#include "encoderd/select/expr_values.h"

void eval_arithmetic(struct expr_eval *eval, const struct bound *bound);
int eval_compare_numbers(struct expr_eval *eval, const struct bound *bound, struct err *err);

#endif
