/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/sched_impl.h"

#include "common/size.h"
#include "encoderd/serve/ahead.h"
#include "encoderd/serve/next.h"
#include "encoderd/serve/sched.h"
#include "encoderd/zarr/chunk/chunk_table.h"

#include <stdlib.h>
#include <sys/eventfd.h>

/* One reader's span may take this part of the arena. */
#define SPAN_SHARE 8

/* Reads are still one run if they leave out no more than this part of the rows in a block. */
#define SKIP_SHARE 4

/* The most bytes of spans that are kept without a lease, for a second reader close behind; what was
 * read before is in the kernel's page cache. Few, so that the arena's pages stay in the processor's
 * cache. */
#define RESTING_MAX (4 * PLAN_SPAN_MAX)

struct sched *sched_new(const struct view *view, struct arena *arena,
                        const struct sched_config *config, struct err *err)
{
    struct sched *sched = calloc(1, sizeof *sched);

    if (sched == NULL) {
        err_nomem(err, "the scheduler");
        return NULL;
    }
    readers_init(&sched->readers);
    answers_init(&sched->answers);
    if (core_init(&sched->core, view, arena, config, err) != 0 ||
        quick_init(&sched->quick, &sched->core, err) != 0 ||
        workers_start(&sched->workers, &sched->core, err) != 0) {
        sched_free(sched);
        return NULL;
    }
    return sched;
}

void sched_free(struct sched *sched)
{
    if (sched == NULL)
        return;
    workers_stop(&sched->workers, &sched->core);
    quick_clear(&sched->quick);
    answers_clear(&sched->answers);
    readers_clear(&sched->readers);
    core_clear(&sched->core);
    free(sched);
}

int sched_wake_fd(const struct sched *sched)
{
    return sched->core.wake_fd;
}

static const struct view_file *file_of(const struct sched *sched, const struct sched_read *read)
{
    return &sched->core.view->files[read->file];
}

static struct plan_limits current_limits(const struct sched *sched)
{
    const uint64_t readers = size_max(1, sched->readers.nsequential);
    const uint64_t share = arena_size(sched->core.spans.arena) / SPAN_SHARE / readers;

    return (struct plan_limits){
        .span_max = size_min(PLAN_SPAN_MAX, size_max(PLAN_SPAN_MIN, share)),
        .skip_max = size_max(1, sched->core.block_rows / SKIP_SHARE),
    };
}

static struct extent_plan least_plan(const struct sched *sched, const struct waiter *waiter)
{
    const struct sched_read *read = &waiter->read;
    const struct view_file *file = file_of(sched, read);
    const struct plan_limits limits = current_limits(sched);

    return (waiter->reach == REACH_ROW ? plan_in_row : plan_exact)(
        &file->stream->layout, file->size, &limits, read->offset, read->length);
}

/* ---- Under the lock, up to sched_read -------------------------------------------------------- */

static struct span *demand_span(struct sched *sched, const struct sched_read *read, uint64_t begin,
                                uint64_t end)
{
    return span_new(&sched->core.spans, file_of(sched, read)->stream, read->file, begin, end,
                    SPAN_KIND_DEMAND);
}

/* Makes the span that a read needs; the shortest possible one if there is no room for the planned
 * one. */
static struct span *new_demand(struct sched *sched, const struct waiter *waiter,
                               struct extent_plan plan)
{
    const struct sched_read *read = &waiter->read;
    struct span *span;
    uint64_t end = plan.end;

    if (plan.sequential)
        end = span_next_begin(&sched->core.spans, read->file, read->offset, plan.end);
    span = demand_span(sched, read, plan.begin, end);
    if (span == NULL && plan.sequential) {
        plan = least_plan(sched, waiter);
        span = demand_span(sched, read, plan.begin, plan.end);
    }
    if (span == NULL)
        return NULL;
    span->keep = plan.sequential;
    core_announce(&sched->core, span);
    return span;
}

/* Finds a span that holds the read's first byte, and gives it a part of the arena if it has none;
 * NULL if that fails. */
static struct span *old_span(struct sched *sched, const struct waiter *waiter,
                             struct handle *handle)
{
    struct sched_core *core = &sched->core;
    struct span *span = NULL;

    if (waiter->reach == REACH_PLANNED)
        span = span_covering(&core->spans, waiter->read.file, waiter->read.offset);
    if (span == NULL || (span->at == ARENA_NONE && !span_take_room(&core->spans, span, true)))
        return NULL;
    if (handle != NULL)
        ahead_learn(core, handle, span);
    if (!span->demand && span->place != SPAN_RESTING) {
        /* Workers may have left this span as not worth beginning yet, and all of them sleep. */
        span_demand(&core->spans, span);
        core_announce_again(core, span);
    }
    return span;
}

static void attach(struct sched *sched, struct span *span, struct waiter *waiter)
{
    struct span_table *spans = &sched->core.spans;

    if (span->place == SPAN_RESTING) {
        answers_lease(&sched->answers, spans, waiter->read.id, span);
        pool_put(&spans->waiters, waiter);
        return;
    }
    TAILQ_INSERT_TAIL(&span->waiters, waiter, link);
}

static struct extent_plan plan_for(struct sched *sched, struct handle *handle,
                                   const struct waiter *waiter)
{
    const struct plan_limits limits = current_limits(sched);

    if (waiter->reach != REACH_PLANNED || handle == NULL)
        return least_plan(sched, waiter);
    return readers_plan(&sched->readers, handle, file_of(sched, &waiter->read), &limits,
                        &waiter->read);
}

/* The handle's read was placed in a span that ends at `end`: begins the work ahead. */
static void go_on(struct sched *sched, struct handle *handle, const struct sched_read *read,
                  bool sequential, uint64_t end)
{
    const struct plan_limits limits = current_limits(sched);

    if (sequential) {
        handle->reader.next = size_max(handle->reader.next, end);
        ahead_work(&sched->core, handle, &limits, end);
    } else {
        ahead_forget(&sched->core, handle);
    }
    readers_note_run(&sched->readers, read, &handle->reader);
}

/* Finds or makes a span for a waiter, and gives it the waiter. False if there is no room: then the
 * waiter still belongs to the caller. */
static bool place(struct sched *sched, struct waiter *waiter)
{
    /* a copy: attaching may answer the read and free the waiter */
    const struct sched_read read = waiter->read;
    struct handle *handle = readers_find(&sched->readers, read.handle, read.file);
    const struct extent_plan plan = plan_for(sched, handle, waiter);
    struct span *span = old_span(sched, waiter, handle);
    uint64_t end;

    if (span == NULL)
        span = new_demand(sched, waiter, plan);
    if (span == NULL)
        return false;
    end = span->target.end;
    attach(sched, span, waiter);
    if (handle != NULL)
        go_on(sched, handle, &read, plan.sequential, end);
    return true;
}

static void place_or_stall(struct sched *sched, struct waiter *waiter)
{
    if (!place(sched, waiter))
        TAILQ_INSERT_TAIL(&sched->core.stalled, waiter, link);
}

static void retry_stalled(struct sched *sched)
{
    struct waiters *stalled = &sched->core.stalled;
    struct waiter *waiter;

    while ((waiter = TAILQ_FIRST(stalled)) != NULL) {
        TAILQ_REMOVE(stalled, waiter, link);
        if (!place(sched, waiter)) {
            TAILQ_INSERT_HEAD(stalled, waiter, link);
            return;
        }
    }
}

/* Shortens the read's reach, so that its span is smaller than the one that failed; false if that is
 * not possible. */
static bool shorten_reach(const struct sched *sched, const struct span *span, struct waiter *waiter)
{
    while (waiter->reach < REACH_ROW) {
        struct extent_plan least;

        waiter->reach++;
        least = least_plan(sched, waiter);
        if (least.end - least.begin < span->target.end - span->target.begin)
            return true;
    }
    return false;
}

/* Answers all reads that wait for a finished span. */
static void deliver(struct sched *sched, struct span *span)
{
    struct span_table *spans = &sched->core.spans;
    struct waiters waiters;
    struct waiter *waiter;

    TAILQ_INIT(&waiters);
    TAILQ_CONCAT(&waiters, &span->waiters, link);
    if (!span->failed)
        span_move(spans, span, SPAN_RESTING);
    while ((waiter = TAILQ_FIRST(&waiters)) != NULL) {
        TAILQ_REMOVE(&waiters, waiter, link);
        if (!span->failed) {
            answers_lease(&sched->answers, spans, waiter->read.id, span);
        } else if (shorten_reach(sched, span, waiter)) {
            place_or_stall(sched, waiter);
            continue;
        } else {
            answers_error(&sched->answers, waiter->read.id, &span->err);
        }
        pool_put(&spans->waiters, waiter);
    }
    if (span->failed) {
        sched->core.stats.spans_failed++;
        span_free(spans, span);
    }
}

/* Delivers all finished spans; also those that were finished at once when there was room, because
 * they need no worker. */
static void deliver_all(struct sched *sched)
{
    struct spans *done = &sched->core.spans.places[SPAN_DONE];
    struct span *span;

    do {
        while ((span = TAILQ_FIRST(done)) != NULL)
            deliver(sched, span);
        retry_stalled(sched);
    } while (!TAILQ_EMPTY(done));
}

/* Begins the work on new spans. True if this thread has done it; else *nwanted is the number of
 * workers to wake. They are woken after the lock is dropped, because they would only wait for
 * it. */
static bool start_work(struct sched *sched, uint64_t *nwanted)
{
    struct sched_core *core = &sched->core;

    *nwanted = 0;
    workers_start_slow(&sched->workers, core);
    if (core->nfresh == 0)
        return false;
    if (quick_try(&sched->quick)) {
        core->nfresh = 0;
        return true;
    }
    if (next_span(core) != NULL) {
        atomic_fetch_add(&core->nannounced, 1);
        *nwanted = core->nfresh;
    }
    core->nfresh = 0;
    return false;
}

void sched_read(struct sched *sched, const struct sched_read *read)
{
    struct sched_core *core = &sched->core;
    struct waiter *waiter;

    core_lock(core);
    core->stats.reads++;
    readers_note(&sched->readers, read->handle, read->file);
    waiter = pool_get(&core->spans.waiters);
    if (waiter != NULL) { /* if NULL, the read fails at the front's deadline */
        waiter->read = *read;
        if (TAILQ_EMPTY(&core->stalled))
            place_or_stall(sched, waiter);
        else
            TAILQ_INSERT_TAIL(&core->stalled, waiter, link);
    }
    core_unlock(core);
}

/* A thread that finds `woken` set does not write to wake_fd. So `woken` is cleared before the spans
 * are looked at, and only when the written value has been read. */
static void take_wake(struct sched_core *core)
{
    eventfd_t ignored;

    if (atomic_load(&core->woken) && eventfd_read(core->wake_fd, &ignored) == 0)
        atomic_store(&core->woken, false);
}

size_t sched_answers(struct sched *sched, struct sched_answer *answers, size_t max)
{
    struct sched_core *core = &sched->core;
    uint64_t nwanted;
    size_t n = 0;

    core_lock(core);
    do {
        take_wake(core);
        deliver_all(sched);
    } while (start_work(sched, &nwanted));
    while (n < max && answers_take(&sched->answers, &answers[n]))
        n++;
    core_unlock(core);
    if (nwanted == 1)
        pthread_cond_signal(&core->work);
    else if (nwanted > 1)
        pthread_cond_broadcast(&core->work);
    return n;
}

bool sched_return(struct sched *sched, uint64_t lease)
{
    struct span_table *spans = &sched->core.spans;
    bool found;

    core_lock(&sched->core);
    found = answers_return(&sched->answers, spans, lease);
    span_table_trim(spans, RESTING_MAX, false);
    core_unlock(&sched->core);
    return found;
}

void sched_release(struct sched *sched, uint64_t handle)
{
    struct span_table *spans = &sched->core.spans;

    core_lock(&sched->core);
    readers_release(&sched->readers, handle);
    span_table_drop_ahead(spans, handle, false);
    span_table_give_up(spans, handle);
    core_unlock(&sched->core);
}

void sched_idle(struct sched *sched)
{
    struct sched_core *core = &sched->core;

    core_lock(core);
    span_table_trim(&core->spans, 0, true);
    span_table_drop_far(&core->spans);
    arena_trim(core->spans.arena);
    core_unlock(core);
    quick_trim(&sched->quick);
    if (core->cache != NULL)
        cache_trim(core->cache);
    if (core->kept != NULL)
        block_cache_trim(core->kept);
    chunk_table_trim(core->chunks);
    store_trim(core->view->vcz->store);
}

/* True if a read waits for a span in this place, or a thread works on one. Under the lock. */
static bool is_busy(const struct sched_core *core, enum span_place place)
{
    const struct span *span;

    TAILQ_FOREACH (span, &core->spans.places[place], link)
        if (span->demand || span->nbusy > 0)
            return true;
    return false;
}

static bool anybody_waits(const struct sched_core *core)
{
    if (!TAILQ_EMPTY(&core->stalled) || !TAILQ_EMPTY(&core->spans.places[SPAN_DONE]))
        return true;
    for (enum span_place place = SPAN_DEMAND; place <= SPAN_RUNNING; place++)
        if (is_busy(core, place))
            return true;
    return false;
}

bool sched_look(struct sched *sched)
{
    bool waits;

    core_lock(&sched->core);
    core_look(&sched->core);
    waits = anybody_waits(&sched->core);
    core_unlock(&sched->core);
    return waits;
}

void sched_stats(struct sched *sched, struct sched_stats *out)
{
    struct store_counts counts;

    store_counts(sched->core.view->vcz->store, &counts);
    core_lock(&sched->core);
    *out = sched->core.stats;
    out->arena_used = arena_used(sched->core.spans.arena);
    core_unlock(&sched->core);
    out->leases_held = sched->answers.nheld;
    out->requests = counts.requests;
    out->bytes_read = counts.bytes;
    out->opened = counts.opened;
    out->waits = counts.waits;
    out->most_in_flight = counts.most_in_flight;
}
