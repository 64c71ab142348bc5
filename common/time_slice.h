/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_slice: a thread that others wait for asks the scheduler for short turns, taken soon.
 */
#ifndef VCZFS_COMMON_TIME_SLICE_H
#define VCZFS_COMMON_TIME_SLICE_H

/* For the calling thread, and for none that it starts. A wish: kernels before 6.12 do not know it,
 * and a sandbox may refuse it. */
void time_slice_ask_short(void);

#endif
