/* SPDX-License-Identifier: Apache-2.0 */
/*
 * completion: a script for bash that completes the command line. It is made from the tables of
 * commands and options.
 */
#ifndef VCZFS_FUSED_COMPLETION_H
#define VCZFS_FUSED_COMPLETION_H

#include "common/buf.h"

/* Appends the script. */
void completion_make(struct buf *out);

#endif
