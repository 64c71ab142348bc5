/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_slice: asks the scheduler for short time slices that start soon, for a thread that others
 * wait for.
 */
#ifndef VCZFS_COMMON_TIME_SLICE_H
#define VCZFS_COMMON_TIME_SLICE_H

/* Applies to the calling thread, not to threads or processes that it starts. Kernels before 6.12
 * ignore it and a sandbox may refuse it; neither is an error. */
void time_slice_ask_short(void);

#endif
