/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_tags: what a name in an expression means in a store.
 */
#ifndef VCZFS_SELECT_EXPR_TAGS_H
#define VCZFS_SELECT_EXPR_TAGS_H

#include "encoderd/select/expr_bound.h"

/* Returns NULL and an error if the store lacks the tag; the error suggests a similar name. */
struct bound *bind_tag(struct expr *expr, const struct expr_node *node, struct err *err);

#endif
