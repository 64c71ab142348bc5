/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock: a steady clock in milli- and microseconds, and timers.
 */
#ifndef VCZFS_FUSED_PROCESS_CLOCK_H
#define VCZFS_FUSED_PROCESS_CLOCK_H

#include <event2/event.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static inline uint64_t clock_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* A timer that fires this much too late (ms) shows that this process was stopped, not that it was
 * busy: a container was paused, or the machine slept. Probably the encoder was stopped, too. */
#define CLOCK_STOPPED_MS 2000

/* (Re)starts a timer. */
static inline void clock_arm(struct event *timer, uint64_t ms)
{
    struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_add(timer, &tv);
}

#endif
