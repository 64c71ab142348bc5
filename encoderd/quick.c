/*
 * quick: small reads made by the server's own thread.
 *
 * To wake a worker, and to be woken by it, takes about as long as decoding a block. So a lone small span,
 * a random reader's, is made on the spot, as long as that takes no waiting for a disk and no more than a
 * few blocks: the server must be there for its other messages. What turns out to be more than that is
 * given to the workers, who begin it anew. They do as soon as there is anything else to do.
 */
#include "encoderd/sched_impl.h"

#include "common/size.h"

#include <sched.h>

#define QUICK_SPAN_MAX   UINT64_C(65536) /* bytes */
#define QUICK_CELLS_MAX  4
#define QUICK_BLOCKS_MAX 4
#define QUICK_SCRATCH    ((size_t)4 << 20) /* bytes */
#define PENALTY_MAX      256
#define MOMENT_YIELDS    200

int quick_init(struct sched *sched, struct err *err)
{
    struct encode_worker *worker = &sched->quick.encode;

    if (encode_worker_init(worker, QUICK_SCRATCH, NULL, err) != 0)
        return -1;
    encode_worker_share(worker, sched->chunks);
    decoder_set_kept(worker->decoder, sched->kept);
    decoder_keep(worker->decoder, true); /* what comes here is a random reader's */
    return 0;
}

void quick_clear(struct sched *sched)
{
    encode_worker_clear(&sched->quick.encode);
}

void quick_trim(struct sched *sched)
{
    decoder_trim(sched->quick.encode.decoder);
}

/* The one span there is, if it may be quick; or NULL. */
static struct span *candidate(const struct sched *sched)
{
    const struct spans *places = sched->spans.places;
    struct span *span = TAILQ_FIRST(&places[SPAN_DEMAND]);

    if (!store_is_local(sched->view->vcz->store))
        return NULL;
    if (span == NULL || TAILQ_NEXT(span, link) != NULL || !TAILQ_EMPTY(&places[SPAN_AHEAD]) ||
        !TAILQ_EMPTY(&places[SPAN_RUNNING]) || !TAILQ_EMPTY(&places[SPAN_DONE]))
        return NULL;
    /* Sites come from chunks that are decoded whole; and what is begun anew would be added up twice. */
    if (span->format->wants_sites || span->format->wants_phase || span->format->wants_sums ||
        span->next_cell != 0 || span->ncells > QUICK_CELLS_MAX ||
        span->target.end - span->target.begin > QUICK_SPAN_MAX)
        return NULL;
    return span;
}

/* One cell; false if it takes more than this thread has time for. */
static bool make_cell(struct quick *quick, const struct span *span, const struct encode_cell *cell)
{
    struct err ignored; /* a worker will say it */
    int failed;

    store_may_wait(false);
    decoder_only_quick(quick->encode.decoder, QUICK_BLOCKS_MAX);
    failed = encode_cell(span->format, &span->target, cell, &quick->encode, NULL, &ignored);
    decoder_only_quick(quick->encode.decoder, DECODER_ANY);
    store_may_wait(true);
    return failed == 0;
}

/* The last part of a span that nobody else touches any more. */
static bool is_last_part(const struct span *span)
{
    return !span->failed && span->pending == 1 && !span_has_cells(span);
}

/* Makes one cell, dropping the lock meanwhile; false if a worker has to. */
static bool run_cell(struct sched *sched, struct span *span)
{
    struct quick *quick = &sched->quick;
    struct err ignored;
    uint64_t number;
    const struct encode_cell cell = take_cell(sched, span, &number);
    bool made;

    pthread_mutex_unlock(&sched->lock);
    made = make_cell(quick, span, &cell);
    pthread_mutex_lock(&sched->lock);
    add_decoder_stats(sched, quick->encode.decoder, &quick->seen);
    if (made && is_last_part(span)) {
        pthread_mutex_unlock(&sched->lock);
        made = encode_end(span->format, &span->target, &quick->encode, &ignored) == 0;
        pthread_mutex_lock(&sched->lock);
    }
    if (made) {
        finish_part(sched, span, NULL);
    } else if (span->failed) {
        finish_part(sched, span, &span->err); /* nobody needs it any more */
    } else {
        span->again |= UINT64_C(1) << number;
        if (span->place == SPAN_RUNNING)
            span_move(&sched->spans, span, SPAN_DEMAND);
    }
    return made;
}

/* A worker is at the last cell: what it does takes no longer than to go to sleep and be woken. */
static void wait_a_moment(struct sched *sched)
{
    pthread_mutex_unlock(&sched->lock);
    for (unsigned i = 0; i < MOMENT_YIELDS && !atomic_load(&sched->woken); i++)
        sched_yield();
    pthread_mutex_lock(&sched->lock);
}

bool quick_try(struct sched *sched)
{
    struct quick *quick = &sched->quick;
    struct span *span = candidate(sched);

    if (span == NULL)
        return false;
    if (quick->skip > 0) {
        quick->skip--;
        return false;
    }
    if (span->ncells > 1)
        atomic_fetch_add(&sched->nannounced, 1);
    for (uint64_t n = span->ncells / 2; n > 0; n--)
        pthread_cond_signal(&sched->work);
    while (span->place == SPAN_DEMAND) {
        if (run_cell(sched, span))
            continue;
        quick->penalty = (unsigned)size_min(quick->penalty * 2 + 1, PENALTY_MAX);
        quick->skip = quick->penalty;
        return span->place == SPAN_DONE; /* as a failure, thanks to a worker: nobody else says so */
    }
    quick->penalty /= 2;
    if (span->place == SPAN_RUNNING)
        wait_a_moment(sched);
    return true;
}
