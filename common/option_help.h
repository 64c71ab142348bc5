/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_help: what a help text says of an option.
 */
#ifndef VCZFS_COMMON_OPTION_HELP_H
#define VCZFS_COMMON_OPTION_HELP_H

#include "common/buf.h"
#include "common/option_spec.h"

/* Words from `column` on, where the line stands, as far as lines go; further lines begin there. */
void help_put_wrapped(struct buf *out, size_t column, const char *text);

/* `left`, and what it is about from `column` on. */
void help_put_entry(struct buf *out, const char *left, size_t column, const char *text);

/* The option, what it does, and then in square brackets which values it takes and what it is
 * otherwise: "[1 to 64; default: one per CPU]". values: which, if spec does not know; or NULL. */
void help_put_option(struct buf *out, const struct option_spec *spec, const char *values);

#endif
