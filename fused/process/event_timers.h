/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_timers: the timers of an event loop.
 */
#ifndef VCZFS_FUSED_PROCESS_EVENT_TIMERS_H
#define VCZFS_FUSED_PROCESS_EVENT_TIMERS_H

#include "fused/process/timers.h"

#include <event2/event.h>

/* `base` is borrowed, and must outlive every timer. */
struct timers event_timers(struct event_base *base);

#endif
