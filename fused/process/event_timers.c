/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/process/event_timers.h"

#include "fused/process/clock.h"

#include <stdlib.h>

struct timer {
    struct event *event; /* owned */
    void (*fired)(void *owner);
    void *owner;
};

static uint64_t now_us(void *arg)
{
    (void)arg;
    return clock_us();
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    const struct timer *timer = arg;

    (void)fd;
    (void)what;
    timer->fired(timer->owner);
}

static void drop(struct timer *timer)
{
    if (timer == NULL)
        return;
    if (timer->event != NULL)
        event_free(timer->event);
    free(timer);
}

static struct timer *make(void *arg, void (*fired)(void *owner), void *owner)
{
    struct timer *timer = calloc(1, sizeof *timer);

    if (timer == NULL)
        return NULL;
    *timer = (struct timer){.event = evtimer_new(arg, on_event, timer), fired, owner};
    if (timer->event != NULL)
        return timer;
    free(timer);
    return NULL;
}

static void arm(struct timer *timer, uint64_t ms)
{
    if (ms == 0)
        event_active(timer->event, EV_TIMEOUT, 0); /* fires in this turn of the loop */
    else
        clock_arm(timer->event, ms);
}

static void disarm(struct timer *timer)
{
    event_del(timer->event);
}

static bool is_armed(const struct timer *timer)
{
    return event_pending(timer->event, EV_TIMEOUT, NULL) != 0;
}

struct timers event_timers(struct event_base *base)
{
    return (struct timers){
        .arg = base,
        .now_us = now_us,
        .make = make,
        .free = drop,
        .arm = arm,
        .disarm = disarm,
        .is_armed = is_armed,
    };
}
