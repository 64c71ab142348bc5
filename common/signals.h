/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signals: what a program that is started may have inherited of them.
 */
#ifndef VCZFS_COMMON_SIGNALS_H
#define VCZFS_COMMON_SIGNALS_H

/* At the start of a program, before anything else: no signal is blocked, and each does what it does
 * by default. But hangup, interrupt and quit stay ignored if they were: nohup and a shell's
 * background jobs mean that. Writing to what nobody reads, or past the limit of a file's size, is
 * an error afterwards and not the end. */
void signals_begin(void);

#endif
