/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/sched_core.h"

#include "encoderd/zarr/chunk/chunk_table.h"
#include "encoderd/zarr/chunk/held.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void init_locks(struct sched_core *core)
{
    pthread_mutexattr_t kind;
    pthread_condattr_t attr;

    /* The lock is held for so short a time that spinning costs less than sleeping. */
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&core->lock, &kind);
    pthread_mutexattr_destroy(&kind);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&core->work, &attr);
    pthread_cond_init(&core->slow, &attr);
    pthread_condattr_destroy(&attr);
}

int core_init(struct sched_core *core, const struct view *view, struct arena *arena,
              const struct sched_config *config, struct err *err)
{
    core->view = view;
    core->config = *config;
    init_locks(core);
    span_table_init(&core->spans, arena);
    TAILQ_INIT(&core->stalled);
    core->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (core->wake_fd < 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot make an eventfd");
    if (config->cache_max > 0 && (core->cache = cache_new(config->cache_max, err)) == NULL)
        return -1;
    if (config->kept_max > 0 && (core->kept = block_cache_new(config->kept_max, err)) == NULL)
        return -1;
    core->phases = phase_cache_new(err);
    core->chunks = chunk_table_new(err);
    if (core->phases == NULL || core->chunks == NULL)
        return -1;
    chunk_table_set_budget(core->chunks, config->fetch_max);
    return 0;
}

void core_clear(struct sched_core *core)
{
    struct waiter *waiter;

    core_lock(core);
    while ((waiter = TAILQ_FIRST(&core->stalled)) != NULL) {
        TAILQ_REMOVE(&core->stalled, waiter, link);
        pool_put(&core->spans.waiters, waiter);
    }
    span_table_empty(&core->spans);
    core_unlock(core);
    span_table_clear(&core->spans);
    cache_free(core->cache);
    phase_cache_free(core->phases);
    block_cache_free(core->kept);
    chunk_table_free(core->chunks);
    if (core->wake_fd >= 0)
        close(core->wake_fd);
    pthread_cond_destroy(&core->work);
    pthread_cond_destroy(&core->slow);
    pthread_mutex_destroy(&core->lock);
}

void core_lock(struct sched_core *core)
{
    pthread_mutex_lock(&core->lock);
}

/* Needs were cleared: cells that lacked room among the bytes in flight may ask again, those of the
 * oldest span first. */
static void note_clears(struct sched_core *core, uint64_t n)
{
    struct span *span, *oldest = NULL;

    core->nclears += n;
    if (core->spans.nfull == 0)
        return;
    for (int place = 0; place <= SPAN_RUNNING; place++)
        TAILQ_FOREACH (span, &core->spans.places[place], link)
            if (!TAILQ_EMPTY(&span->cells[CELL_FULL]) &&
                (oldest == NULL || span->order < oldest->order))
                oldest = span;
    if (oldest != NULL)
        span_ask_again(&core->spans, oldest, CELL_FULL);
    pthread_cond_signal(&core->work);
}

void core_unlock(struct sched_core *core)
{
    struct cells dropped;
    struct cell *cell;
    uint64_t n = 0;

    if (TAILQ_EMPTY(&core->spans.dropped)) {
        pthread_mutex_unlock(&core->lock);
        return;
    }
    TAILQ_INIT(&dropped);
    TAILQ_CONCAT(&dropped, &core->spans.dropped, link);
    pthread_mutex_unlock(&core->lock);
    TAILQ_FOREACH (cell, &dropped, link)
        cell_need_clear(&cell->need);
    pthread_mutex_lock(&core->lock);
    while ((cell = TAILQ_FIRST(&dropped)) != NULL) {
        TAILQ_REMOVE(&dropped, cell, link);
        pool_put(&core->spans.cells, cell);
        n++;
    }
    note_clears(core, n);
    pthread_mutex_unlock(&core->lock);
}

void core_wake_server(struct sched_core *core)
{
    if (!atomic_exchange(&core->woken, true))
        eventfd_write(core->wake_fd, 1);
}

/* True if the span needs a chunk that is held back, because encoders died of it. */
static bool is_held(const struct sched_core *core, const struct span *span, struct err *err)
{
    const struct vcz *vcz = core->view->vcz;
    char label[CHUNK_LABEL_MAX];

    if (!held_any(store_held(vcz->store)))
        return false;
    for (uint64_t i = 0; i < span->ncells; i++) {
        const struct encode_cell cell = encode_cell_at(&span->grid, i);
        const uint64_t index[ZARR_DIMS_MAX] = {cell.vchunk, cell.schunk};

        chunk_label(cell.kind == CELL_PHASED ? vcz->phased : vcz->genotype, index, label);
        if (held_check(store_held(vcz->store), label, err) != 0)
            return true;
    }
    return false;
}

void core_announce(struct sched_core *core, struct span *span)
{
    core->stats.spans++;
    core->stats.bytes_encoded += span->target.end - span->target.begin;
    span->failed = is_held(core, span, &span->err);
    if (span->ncells == 0 || span->failed)
        span_move(&core->spans, span, SPAN_DONE);
    else
        core->nfresh += span->ncells;
}

/* The store has what the cell asked for, or has failed to get it: the cell must be asked again. */
static void wake_cell(struct cell_need *need)
{
    struct cell *cell = (struct cell *)need; /* the need is the cell's first member */
    struct sched_core *core = cell->core;

    core_lock(core);
    if (cell->state == CELL_WAITS) {
        span_wake_cell(&core->spans, cell);
        pthread_cond_signal(&core->work);
    } else {
        cell->woken = true;
    }
    /* not core_unlock: no need may be cleared in this callback */
    pthread_mutex_unlock(&core->lock);
}

/* Fails the span, for all who wait for it. */
static void fail(struct sched_core *core, struct span *span, const struct err *failed)
{
    if (!span->failed) {
        span->failed = true;
        span->err = *failed;
    }
    span_drop_cells(&core->spans, span);
}

/* One of the parts that `pending` counts has ended. */
static bool end_part(struct sched_core *core, struct span *span, const struct err *failed)
{
    if (failed != NULL || span->failed)
        fail(core, span, failed);
    if (span->pending > 0) {
        span_settle(&core->spans, span);
        if (span_end_is_due(span) && span->place <= SPAN_AHEAD)
            pthread_cond_signal(&core->work);
        if (span_end_is_due(span) && core->spans.nslow > 0)
            pthread_cond_signal(&core->slow);
        return false;
    }
    if (!span->failed && TAILQ_EMPTY(&span->waiters)) { /* the server has nothing to do for it */
        span_move(&core->spans, span, SPAN_RESTING);
        return !TAILQ_EMPTY(&core->stalled);
    }
    span_move(&core->spans, span, SPAN_DONE);
    return true;
}

struct cell *core_take(struct sched_core *core, struct span *span)
{
    struct err err = {0};
    bool no_memory;
    struct cell *cell = span_take_cell(&core->spans, span, &no_memory);

    if (no_memory) {
        err_nomem(&err, "a cell");
        if (end_part(core, span, &err))
            core_wake_server(core);
        return NULL;
    }
    if (cell == NULL)
        return NULL;
    cell->core = core;
    cell->need.wake = wake_cell;
    cell->nclears = core->nclears;
    return cell;
}

/* Bytes in flight are needed first by spans that are near: frees the furthest span to make room. */
static void make_way(struct sched_core *core, const struct span *span)
{
    struct span *furthest = span->at == ARENA_NONE ? NULL : span_furthest(&core->spans);

    if (furthest != NULL)
        span_free(&core->spans, furthest);
}

static enum cell_state state_of(const struct sched_core *core, const struct cell *cell,
                                enum need need)
{
    switch (need) {
    case NEED_WAITS:
        return cell->woken ? CELL_UNKNOWN : CELL_WAITS;
    case NEED_FULL:
        /* The cell asks again if bytes were given back meanwhile, or if a read came for its span:
         * a cell in demand gets room. */
        return cell->nclears != core->nclears || (cell->span->demand && !cell->need.demand)
                   ? CELL_UNKNOWN
                   : CELL_FULL;
    case NEED_SLOW:
        return CELL_SLOW;
    default:
        return CELL_READY;
    }
}

/* True for a span without a part of the arena that no reader will come to. */
static bool is_forsaken(const struct span *span)
{
    return span->at == ARENA_NONE && !span->unread && !span->demand && span->nbusy == 0;
}

enum cell_turn core_asked(struct sched_core *core, struct cell *cell, enum need need)
{
    struct span *span = cell->span;

    if (span->failed)
        return TURN_END;
    if (need == NEED_THERE && span_begin_cell(span, cell))
        return TURN_RUN;
    span_put_cell(&core->spans, cell, state_of(core, cell, need));
    if (need == NEED_SLOW) {
        pthread_cond_signal(&core->slow);
        core_wake_server(core);
    }
    if (need == NEED_FULL)
        make_way(core, span);
    if (is_forsaken(span))
        span_free(&core->spans, span);
    return TURN_LEAVE;
}

bool core_end_cell(struct sched_core *core, struct cell *cell, const struct err *failed)
{
    struct span *span = cell->span;
    bool last;

    span_end_cell(&core->spans, cell);
    span->pending--;
    last = end_part(core, span, failed);
    note_clears(core, 1);
    return last;
}

bool core_end_donation(struct sched_core *core, struct span *span, const struct err *failed)
{
    span->nbusy--;
    span->pending--;
    return end_part(core, span, failed);
}

void core_announce_again(struct sched_core *core, const struct span *span)
{
    core->nfresh += span->ncells;
    if (core->spans.nslow > 0)
        pthread_cond_broadcast(&core->slow);
}

void core_leave(struct sched_core *core, struct cell *cell)
{
    span_put_cell(&core->spans, cell, CELL_READY);
    pthread_cond_signal(&core->work);
}

void core_look(struct sched_core *core)
{
    note_clears(core, 0);
    pthread_cond_broadcast(&core->work);
    pthread_cond_broadcast(&core->slow);
}

void core_add_decoder_stats(struct sched_core *core, const struct decoder_stats *now,
                            struct decoder_stats *seen)
{
    core->stats.blocks += now->blocks - seen->blocks;
    core->stats.bytes_decoded += now->bytes_decoded - seen->bytes_decoded;
    core->stats.unforeseen += now->unforeseen - seen->unforeseen;
    *seen = *now;
}
