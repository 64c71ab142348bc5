/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quick: makes small reads without a worker. Waking a worker and being woken by it takes about as
 * long as decoding a block. So the server's thread itself makes a small span of a random reader, if
 * it is the only span, if its bytes are there, and if it takes only a few blocks: the server must
 * soon read its other messages. Everything else is left to the workers.
 */
#include "encoderd/serve/quick.h"

#include "common/size.h"

#include <sched.h>

#define QUICK_SPAN_MAX   UINT64_C(65536) /* bytes */
#define QUICK_CELLS_MAX  4
#define QUICK_BLOCKS_MAX 4
#define QUICK_BLOCK_MAX  (UINT64_C(1) << 20) /* bytes */
#define MOMENT_YIELDS    200

int quick_init(struct quick *quick, struct sched_core *core, struct err *err)
{
    /* The same memory as a worker has, so that the worker needs no more than this thread found. */
    if (maker_init(&quick->maker, core, err) != 0)
        return -1;
    decoder_keep(quick->maker.encode.decoder, true); /* only random reads come here */
    return 0;
}

void quick_clear(struct quick *quick)
{
    maker_clear(&quick->maker);
}

void quick_trim(struct quick *quick)
{
    encode_worker_trim(&quick->maker.encode);
}

/* The only span, if it may be quick; else NULL. */
static struct span *candidate(const struct sched_core *core)
{
    const struct spans *places = core->spans.places;
    struct span *span = TAILQ_FIRST(&places[SPAN_DEMAND]);

    if (span == NULL || TAILQ_NEXT(span, link) != NULL || !TAILQ_EMPTY(&places[SPAN_AHEAD]) ||
        !TAILQ_EMPTY(&places[SPAN_FETCH]) || !TAILQ_EMPTY(&places[SPAN_RUNNING]) ||
        !TAILQ_EMPTY(&places[SPAN_DONE]))
        return NULL;
    /* A format that wants sites reads chunks that are decoded whole, which is slow. */
    if (span->format->wants_sites || span->next_cell != 0 || span->ncells > QUICK_CELLS_MAX ||
        span->target.end - span->target.begin > QUICK_SPAN_MAX)
        return NULL;
    return span;
}

static bool is_small(const struct cell_need *need)
{
    return need->nblocks <= QUICK_BLOCKS_MAX && need->nbytes <= QUICK_BLOCK_MAX;
}

/* Makes one cell, dropping the lock meanwhile. If its bytes are not there, it will be made when
 * they are. False if a worker must make it. */
static bool run_cell(struct quick *quick, struct span *span)
{
    struct sched_core *core = quick->maker.core;
    struct cell *cell = core_take(core, span);
    bool small = true;

    if (cell == NULL)
        return false;
    core_unlock(core);
    if (maker_ask(&quick->maker, cell)) {
        small = is_small(&cell->need);
        if (small)
            maker_run(&quick->maker, cell);
    } else {
        cell = NULL;
    }
    core_lock(core);
    if (!small)
        core_leave(core, cell);
    return small;
}

/* A worker is making the last cell, which takes no longer than going to sleep and being woken. */
static void wait_a_moment(struct sched_core *core)
{
    core_unlock(core);
    for (unsigned i = 0; i < MOMENT_YIELDS && !atomic_load(&core->woken); i++)
        sched_yield();
    core_lock(core);
}

bool quick_try(struct quick *quick)
{
    struct sched_core *core = quick->maker.core;
    struct span *span = candidate(core);

    if (span == NULL)
        return false;
    if (span->ncells > 1)
        atomic_fetch_add(&core->nannounced, 1);
    for (uint64_t n = span->ncells / 2; n > 0; n--)
        pthread_cond_signal(&core->work);
    while (span->place == SPAN_DEMAND)
        if (!run_cell(quick, span))
            return span->place ==
                   SPAN_DONE; /* a worker has failed it, which nothing else reports */
    if (span->place == SPAN_RUNNING)
        wait_a_moment(core);
    return true;
}
