/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help: what vczfs can be told to do, for people; made from the tables of commands and options.
 */
#ifndef VCZFS_FUSED_HELP_H
#define VCZFS_FUSED_HELP_H

#include "common/buf.h"
#include "fused/cli/command.h"

/* Appends the help about the command, or, if its name is "", about vczfs. */
void help_make(const struct command *command, struct buf *out);

#endif
