/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help: the help texts, made from the tables of commands and options.
 */
#ifndef VCZFS_FUSED_HELP_H
#define VCZFS_FUSED_HELP_H

#include "common/buf.h"
#include "fused/cli/command.h"

/* Appends the help of the command, or of vczfs as a whole if the command's name is "". */
void help_make(const struct command *command, struct buf *out);

#endif
