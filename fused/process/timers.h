/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timers: what time it is, and being called at a time. A table of functions, so that a test can
 * bring a time of its own; event_timers.h has the one of the event loop.
 */
#ifndef VCZFS_FUSED_PROCESS_TIMERS_H
#define VCZFS_FUSED_PROCESS_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

struct timer;

struct timers {
    void *arg;
    uint64_t (*now_us)(void *arg); /* of any steady clock */

    /* A timer that is not armed, and calls fired(owner) each time that it was armed for. Owned by
     * the caller; NULL if there is no memory for it. */
    struct timer *(*make)(void *arg, void (*fired)(void *owner), void *owner);
    void (*free)(struct timer *timer); /* NULL is fine */

    /* (Re)starts it. It never fires before this returns, but with 0 before anything else is heard
     * of: neither from the kernel nor from the encoder. */
    void (*arm)(struct timer *timer, uint64_t ms);
    void (*disarm)(struct timer *timer);
    bool (*is_armed)(const struct timer *timer);
};

static inline uint64_t timers_ms(const struct timers *timers)
{
    return timers->now_us(timers->arg) / 1000;
}

#endif
