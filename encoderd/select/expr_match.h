/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_match: strings, as bcftools compares them: piece by piece between commas, any piece with any
 * piece.
 */
#ifndef VCZFS_SELECT_EXPR_MATCH_H
#define VCZFS_SELECT_EXPR_MATCH_H

#include "encoderd/select/expr_values.h"

/* Compares as bcftools does: piece by piece between commas. `op` is =, !=, ~ or !~; pattern is set
 * for the last two. If memory runs out, pattern->text.failed is set. */
bool eval_match(enum expr_op op, const struct str *text, const char *constant, size_t len,
                struct pattern *pattern);

int eval_compare_strings(struct expr_eval *eval, const struct bound *bound, struct err *err);
int eval_compare_id(struct expr_eval *eval, const struct bound *bound, struct err *err);
int eval_compare_filter(struct expr_eval *eval, const struct bound *bound, struct err *err);

#endif
