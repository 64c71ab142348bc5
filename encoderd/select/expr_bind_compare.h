/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_bind_compare: what a comparison compares: numbers, strings, or a column that has rules of
 * its own.
 */
#ifndef VCZFS_SELECT_EXPR_BIND_COMPARE_H
#define VCZFS_SELECT_EXPR_BIND_COMPARE_H

#include "encoderd/select/expr_bound.h"

/* A comparison, from its operands. */
struct bound *bind_comparison(struct expr *expr, const struct expr_node *node, struct bound *a,
                              struct bound *b, struct err *err);

#endif
