/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/worker.h"

#include "common/log.h"
#include "encoderd/serve/next.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

/* How long a worker waits for work before it frees its scratch. */
#define IDLE_SECONDS 1
#define LINGER_US    150

static unsigned nworkers(const struct sched_core *core)
{
    return core->config.nthreads + SLOW_MAX;
}

/* Waits under the lock. True if there is work, or the scheduler stops; false if nothing came for
 * IDLE_SECONDS. */
static bool wait_for_work(struct sched_core *core, bool forever)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    while (!core->stop && next_span(core) == NULL) {
        if (forever)
            pthread_cond_wait(&core->work, &core->lock);
        else if (pthread_cond_timedwait(&core->work, &core->lock, &until) == ETIMEDOUT)
            return core->stop || next_span(core) != NULL;
    }
    return true;
}

/* A random reader's next read comes soon, and waking a sleeping thread takes longer than decoding a
 * block. So the worker stays awake for a moment, and yields the processor to other threads. */
static void linger(struct sched_core *core)
{
    const unsigned seen = atomic_load(&core->nannounced);
    const uint64_t until = maker_now_us() + LINGER_US;

    pthread_mutex_unlock(&core->lock);
    while (atomic_load(&core->nannounced) == seen && maker_now_us() < until)
        sched_yield();
    pthread_mutex_lock(&core->lock);
}

/* Without the lock. */
static void see_to(struct worker *worker, struct cell *cell)
{
    worker->small = !cell->span->keep && cell->span->ncells <= 8;
    if (maker_ask(&worker->maker, cell) && maker_run(&worker->maker, cell))
        core_wake_server(worker->maker.core);
}

static void trim(struct worker *worker)
{
    struct sched_core *core = worker->maker.core;

    core_unlock(core);
    encode_worker_trim(&worker->maker.encode);
    core_lock(core);
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct sched_core *core = worker->maker.core;
    bool trimmed = true;

    core_lock(core);
    while (!core->stop) {
        struct span *span;
        struct cell *cell;

        if (worker->small && next_span(core) == NULL)
            linger(core);
        worker->small = false;
        if (!wait_for_work(core, trimmed)) {
            trim(worker);
            trimmed = true;
            continue;
        }
        span = core->stop ? NULL : next_span(core);
        cell = span == NULL ? NULL : core_take(core, span);
        if (cell == NULL) {
            /* clears the dropped cells of a span that failed for want of memory */
            core_unlock(core);
            core_lock(core);
            continue;
        }
        trimmed = false;
        core_unlock(core);
        see_to(worker, cell);
        core_lock(core);
    }
    core_unlock(core);
    return NULL;
}

/* The threads that may wait: they run cells that have been asked what they need. */
static void *slow_main(void *arg)
{
    struct worker *worker = arg;
    struct sched_core *core = worker->maker.core;
    struct cell *cell;

    core_lock(core);
    while (!core->stop) {
        cell = next_slow_cell(core);
        if (cell == NULL) {
            trim(worker);
            cell = core->stop ? NULL : next_slow_cell(core); /* the lock was dropped */
        }
        if (cell == NULL) {
            if (!core->stop)
                pthread_cond_wait(&core->slow, &core->lock);
            continue;
        }
        core_unlock(core);
        if (maker_run(&worker->maker, cell))
            core_wake_server(core);
        core_lock(core);
    }
    core_unlock(core);
    return NULL;
}

static int start_worker(struct sched_core *core, struct worker *worker, void *(*main)(void *),
                        struct err *err)
{
    int failed;

    *worker = (struct worker){0};
    if (maker_init(&worker->maker, core, err) != 0)
        return -1;
    worker->maker.donates = true;
    failed = pthread_create(&worker->thread, NULL, main, worker);
    if (failed != 0)
        return err_sys(err, ERR_SYSTEM, failed, "cannot start a worker thread");
    worker->started = true;
    return 0;
}

static void join_worker(struct worker *worker)
{
    if (worker->started)
        pthread_join(worker->thread, NULL);
    maker_clear(&worker->maker);
    *worker = (struct worker){0};
}

int workers_start(struct workers *workers, struct sched_core *core, struct err *err)
{
    workers->items = calloc(nworkers(core), sizeof *workers->items);
    if (workers->items == NULL)
        return err_nomem(err, "the worker threads");
    for (unsigned i = 0; i < core->config.nthreads; i++)
        if (start_worker(core, &workers->items[i], worker_main, err) != 0)
            return -1;
    return 0;
}

void workers_start_slow(struct workers *workers, struct sched_core *core)
{
    struct err err = {0};

    if (core->spans.nslow == 0)
        return;
    for (unsigned i = core->config.nthreads; i < nworkers(core); i++) {
        struct worker *worker = &workers->items[i];

        if (worker->started)
            continue;
        if (start_worker(core, worker, slow_main, &err) != 0) {
            log_warning("no thread for chunks that do not fit memory: %s", err.msg);
            join_worker(worker);
        }
    }
}

void workers_stop(struct workers *workers, struct sched_core *core)
{
    core_lock(core);
    core->stop = true;
    pthread_cond_broadcast(&core->work);
    pthread_cond_broadcast(&core->slow);
    core_unlock(core);
    for (unsigned i = 0; workers->items != NULL && i < nworkers(core); i++)
        join_worker(&workers->items[i]);
    free(workers->items);
    workers->items = NULL;
}
