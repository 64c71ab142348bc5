/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timers: a clock, and timers that call back. It is a table of functions, so that a test can bring
 * a clock of its own; event_timers.h has the table of the event loop.
 */
#ifndef VCZFS_FUSED_PROCESS_TIMERS_H
#define VCZFS_FUSED_PROCESS_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

struct timer;

struct timers {
    void *arg;
    uint64_t (*now_us)(void *arg); /* of any steady clock */

    /* Makes a timer that is not armed. It calls fired(owner) once each time it was armed. The
     * caller owns it; NULL if there is no memory. */
    struct timer *(*make)(void *arg, void (*fired)(void *owner), void *owner);
    void (*free)(struct timer *timer); /* NULL is fine */

    /* Starts or restarts the timer. It never fires before this function returns. With 0 ms it fires
     * before the loop handles anything else from the kernel or the encoder. */
    void (*arm)(struct timer *timer, uint64_t ms);
    void (*disarm)(struct timer *timer);
    bool (*is_armed)(const struct timer *timer);
};

static inline uint64_t timers_ms(const struct timers *timers)
{
    return timers->now_us(timers->arg) / 1000;
}

#endif
