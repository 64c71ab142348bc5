/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made_time: time that passes when a test says so, and timers on it.
 */
#ifndef VCZFS_TESTS_MADE_TIME_H
#define VCZFS_TESTS_MADE_TIME_H

#include "fused/process/timers.h"

#include <stddef.h>

#define MADE_TIMERS 8

struct made_timer {
    void (*fired)(void *owner);
    void *owner;
    bool made, armed;
    uint64_t due; /* us */
    struct made_time *time;
};

struct made_time {
    uint64_t now; /* us */
    struct made_timer timers[MADE_TIMERS];
};

static uint64_t made_now(void *arg)
{
    return ((struct made_time *)arg)->now;
}

static struct timer *made_make(void *arg, void (*fired)(void *owner), void *owner)
{
    struct made_time *time = arg;

    for (size_t i = 0; i < MADE_TIMERS; i++) {
        struct made_timer *timer = &time->timers[i];

        if (timer->made)
            continue;
        *timer = (struct made_timer){.fired = fired, .owner = owner, .made = true, .time = time};
        return (struct timer *)timer;
    }
    return NULL;
}

static void made_free(struct timer *timer)
{
    if (timer != NULL)
        *(struct made_timer *)timer = (struct made_timer){0};
}

static void made_arm(struct timer *timer, uint64_t ms)
{
    struct made_timer *it = (struct made_timer *)timer;

    it->armed = true;
    it->due = it->time->now + ms * 1000;
}

static void made_disarm(struct timer *timer)
{
    ((struct made_timer *)timer)->armed = false;
}

static bool made_is_armed(const struct timer *timer)
{
    return ((const struct made_timer *)timer)->armed;
}

static inline struct timers made_timers(struct made_time *time)
{
    return (struct timers){time,     made_now,    made_make,    made_free,
                           made_arm, made_disarm, made_is_armed};
}

/* The timer that is due first, by this time; NULL if none is. */
static inline struct made_timer *made_due(struct made_time *time, uint64_t by)
{
    struct made_timer *first = NULL;

    for (size_t i = 0; i < MADE_TIMERS; i++) {
        struct made_timer *timer = &time->timers[i];

        if (timer->armed && timer->due <= by && (first == NULL || timer->due < first->due))
            first = timer;
    }
    return first;
}

/* Lets happen what is due now. */
static inline void made_settle(struct made_time *time)
{
    struct made_timer *timer;

    while ((timer = made_due(time, time->now)) != NULL) {
        timer->armed = false;
        timer->fired(timer->owner);
    }
}

/* Lets so much time pass, and everything happen when it is due. */
static inline void made_pass(struct made_time *time, uint64_t ms)
{
    const uint64_t till = time->now + ms * 1000;
    struct made_timer *timer;

    while ((timer = made_due(time, till)) != NULL) {
        time->now = timer->due > time->now ? timer->due : time->now;
        made_settle(time);
    }
    time->now = till;
}

/* How many timers nobody has freed. */
static inline size_t made_left(const struct made_time *time)
{
    size_t n = 0;

    for (size_t i = 0; i < MADE_TIMERS; i++)
        n += time->timers[i].made;
    return n;
}

#endif
