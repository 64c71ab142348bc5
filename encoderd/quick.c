/*
 * quick: small reads made by the server's own thread.
 *
 * To wake a worker, and to be woken by it, takes about as long as decoding a block. So a lone small span,
 * a random reader's, is made on the spot, as long as that takes no waiting for a disk and no more than a
 * few blocks: the server must be there for its other messages. What turns out to be more than that is
 * given to the workers, who begin it anew. They do as soon as there is anything else to do.
 */
#include "encoderd/quick.h"

#include "common/size.h"
#include "encoderd/encode.h"

#include <sched.h>

#define QUICK_SPAN_MAX   UINT64_C(65536) /* bytes */
#define QUICK_CELLS_MAX  4
#define QUICK_BLOCKS_MAX 4
#define QUICK_SCRATCH    ((size_t)4 << 20) /* bytes */
#define PENALTY_MAX      256
#define MOMENT_YIELDS    200

int quick_init(struct quick *quick, struct sched_core *core, struct err *err)
{
    if (maker_init(&quick->maker, core, QUICK_SCRATCH, NULL, err) != 0)
        return -1;
    decoder_keep(quick->maker.encode.decoder, true); /* what comes here is a random reader's */
    return 0;
}

void quick_clear(struct quick *quick)
{
    maker_clear(&quick->maker);
}

void quick_trim(struct quick *quick)
{
    decoder_trim(quick->maker.encode.decoder);
}

/* The one span there is, if it may be quick; or NULL. */
static struct span *candidate(const struct sched_core *core)
{
    const struct spans *places = core->spans.places;
    struct span *span = TAILQ_FIRST(&places[SPAN_DEMAND]);

    if (!store_is_local(core->view->vcz->store))
        return NULL;
    if (span == NULL || TAILQ_NEXT(span, link) != NULL || !TAILQ_EMPTY(&places[SPAN_AHEAD]) ||
        !TAILQ_EMPTY(&places[SPAN_FETCH]) || !TAILQ_EMPTY(&places[SPAN_RUNNING]) ||
        !TAILQ_EMPTY(&places[SPAN_DONE]))
        return NULL;
    /* Sites come from chunks that are decoded whole; and what is begun anew would be added up twice. */
    if (span->format->wants_sites || span->format->wants_phase || span->format->wants_sums ||
        span->next_cell != 0 || span->ncells > QUICK_CELLS_MAX ||
        span->target.end - span->target.begin > QUICK_SPAN_MAX)
        return NULL;
    return span;
}

/* One cell; false if it takes more than this thread has time for. */
static bool make_cell(struct quick *quick, struct cell *cell)
{
    struct encode_worker *encode = &quick->maker.encode;
    struct err ignored; /* a worker will say it */
    int failed;

    store_may_wait(false);
    decoder_only_quick(encode->decoder, QUICK_BLOCKS_MAX);
    failed =
        encode_cell(cell->span->format, &cell->target, &cell->what, encode, &cell->need, &ignored);
    decoder_only_quick(encode->decoder, DECODER_ANY);
    store_may_wait(true);
    return failed == 0;
}

/* Makes one cell, dropping the lock meanwhile; false if a worker has to. */
static bool run_cell(struct quick *quick, struct span *span)
{
    struct sched_core *core = quick->maker.core;
    struct cell *cell = core_take(core, span);
    bool made;

    if (cell == NULL)
        return false;
    core_unlock(core);
    made = make_cell(quick, cell);
    if (made)
        cell_need_clear(&cell->need);
    core_lock(core);
    core_add_decoder_stats(core, quick->maker.encode.decoder, &quick->maker.seen);
    if (made || span->failed)
        core_end_cell(core, cell, NULL);
    else
        span_put_cell(&core->spans, cell, CELL_UNKNOWN);
    return made;
}

/* A worker is at the last cell: what it does takes no longer than to go to sleep and be woken. */
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
    if (quick->skip > 0) {
        quick->skip--;
        return false;
    }
    if (span->ncells > 1)
        atomic_fetch_add(&core->nannounced, 1);
    for (uint64_t n = span->ncells / 2; n > 0; n--)
        pthread_cond_signal(&core->work);
    while (span->place == SPAN_DEMAND) {
        if (run_cell(quick, span))
            continue;
        quick->penalty = (unsigned)size_min(quick->penalty * 2 + 1, PENALTY_MAX);
        quick->skip = quick->penalty;
        return span->place == SPAN_DONE; /* as a failure, thanks to a worker: nobody else says so */
    }
    quick->penalty /= 2;
    if (span->place == SPAN_RUNNING)
        wait_a_moment(core);
    return true;
}
