/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals: undoes the signal settings that a program inherits from its parent.
 */
#ifndef VCZFS_COMMON_SIGNALS_H
#define VCZFS_COMMON_SIGNALS_H

/* Call it at the start of a program. Unblocks all signals and gives each its default action.
 * Hangup, interrupt and quit stay ignored if they were: nohup and a shell's background jobs rely on
 * that. After this call, writing to a pipe without a reader or past the file size limit returns an
 * error and does not end the program. */
void signals_begin(void);

#endif
