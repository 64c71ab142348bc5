/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/waiting.h"

#include "common/log.h"
#include "common/size.h"
#include "fused/process/clock.h"

/* ---- the deadline ---- */

/* When the time of the longest waiting request began; UINT64_MAX if none waits. */
static uint64_t oldest(const struct waiting *waiting)
{
    const struct waiting_request *waiter;
    uint64_t since = UINT64_MAX;

    TAILQ_FOREACH (waiter, &waiting->waiters, entry)
        since = size_min(since, waiter->since);
    return since;
}

/* If this process was stopped, all requests get their full time again, because nothing could be
 * done for them meanwhile. */
static void forgive_stop(struct waiting *waiting, uint64_t now)
{
    struct waiting_request *waiter;

    if (TAILQ_EMPTY(&waiting->waiters) ||
        now < oldest(waiting) + waiting->timeout_ms + CLOCK_STOPPED_MS)
        return;
    log_info("stopped for a while: requests that wait have all their time again");
    TAILQ_FOREACH (waiter, &waiting->waiters, entry)
        waiter->since = now;
}

static struct waiting_request *first_overdue(const struct waiting *waiting, uint64_t now)
{
    struct waiting_request *waiter;

    TAILQ_FOREACH (waiter, &waiting->waiters, entry)
        if (waiter->since + waiting->timeout_ms <= now)
            return waiter;
    return NULL;
}

static void on_deadline(void *arg)
{
    struct waiting *waiting = arg;
    const uint64_t now = timers_ms(&waiting->outside->timers);
    struct waiting_request *waiter;

    forgive_stop(waiting, now);
    while ((waiter = first_overdue(waiting, now)) != NULL)
        waiting->handlers->overdue(waiter, waiting->arg);
    if (!TAILQ_EMPTY(&waiting->waiters))
        waiting->outside->timers.arm(waiting->deadline,
                                     oldest(waiting) + waiting->timeout_ms - now);
}

/* ---- interrupts ---- */

static void on_gone(struct fuse_req *req, void *data)
{
    struct waiting_request *waiter = data;

    (void)req;
    waiter->interrupted = true;
    waiter->waiting->outside->timers.arm(waiter->waiting->interrupt, 0);
}

static struct waiting_request *first_interrupted(const struct waiting *waiting)
{
    struct waiting_request *waiter;

    TAILQ_FOREACH (waiter, &waiting->waiters, entry)
        if (waiter->interrupted)
            return waiter;
    return NULL;
}

static void on_interrupt(void *arg)
{
    struct waiting *waiting = arg;
    struct waiting_request *waiter;

    while ((waiter = first_interrupted(waiting)) != NULL)
        waiting->handlers->interrupted(waiter, waiting->arg);
}

/* ---- outside ---- */

void waiting_add(struct waiting *waiting, struct waiting_request *waiter, struct fuse_req *req)
{
    waiter->waiting = waiting;
    waiter->req = req;
    waiter->since = timers_ms(&waiting->outside->timers);
    waiter->interrupted = false;
    if (TAILQ_EMPTY(&waiting->waiters))
        waiting->outside->timers.arm(waiting->deadline, waiting->timeout_ms);
    TAILQ_INSERT_TAIL(&waiting->waiters, waiter, entry);
    waiting->outside->on_interrupt(req, on_gone, waiter);
}

void waiting_remove(struct waiting *waiting, struct waiting_request *waiter)
{
    TAILQ_REMOVE(&waiting->waiters, waiter, entry);
    if (TAILQ_EMPTY(&waiting->waiters))
        waiting->outside->timers.disarm(waiting->deadline);
}

int waiting_init(struct waiting *waiting, const struct outside *outside, uint64_t timeout_ms,
                 const struct waiting_handlers *handlers, void *arg, struct err *err)
{
    const struct timers *timers = &outside->timers;

    *waiting = (struct waiting){
        .outside = outside, .handlers = handlers, .arg = arg, .timeout_ms = timeout_ms};
    TAILQ_INIT(&waiting->waiters);
    waiting->deadline = timers->make(timers->arg, on_deadline, waiting);
    waiting->interrupt = timers->make(timers->arg, on_interrupt, waiting);
    if (waiting->deadline == NULL || waiting->interrupt == NULL)
        return err_nomem(err, "the waiting requests");
    return 0;
}

void waiting_free(struct waiting *waiting)
{
    waiting->outside->timers.free(waiting->deadline);
    waiting->outside->timers.free(waiting->interrupt);
}
