/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_help: the help text of an option.
 */
#ifndef VCZFS_COMMON_OPTION_HELP_H
#define VCZFS_COMMON_OPTION_HELP_H

#include "common/buf.h"
#include "common/option_spec.h"

/* Appends words, wrapped into lines. The current line is already at `column`; further lines are
 * indented to `column`. */
void help_put_wrapped(struct buf *out, size_t column, const char *text);

/* Appends `left`, and its explanation from `column` on. */
void help_put_entry(struct buf *out, const char *left, size_t column, const char *text);

/* Appends the option, what it does, and in square brackets its values and its default: "[1 to 64;
 * default: one per CPU]". `values` describes the values if spec does not; or NULL. */
void help_put_option(struct buf *out, const struct option_spec *spec, const char *values);

#endif
