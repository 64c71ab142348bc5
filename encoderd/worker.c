#include "encoderd/sched_impl.h"

#include "common/log.h"
#include "common/size.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

/* How long a worker waits for work before it gives its scratch back. */
#define IDLE_SECONDS 1
#define LINGER_US    150
#define CREDIT_US    10000 /* of workers' time that readers may catch up on */

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void wake_server(struct sched *sched)
{
    if (!atomic_exchange(&sched->woken, true))
        eventfd_write(sched->wake_fd, 1);
}

bool finish_part(struct sched *sched, struct span *span, const struct err *failed)
{
    if (failed != NULL && !span->failed) {
        span->failed = true;
        span->err = *failed;
    }
    if (span->failed && span_has_cells(span)) {
        span->pending -= span->ncells - span->next_cell;
        span->pending -= (uint64_t)__builtin_popcountll(span->again);
        span->next_cell = span->ncells;
        span->again = 0;
        span_move(&sched->spans, span, SPAN_RUNNING);
    }
    if (--span->pending > 0)
        return false;
    if (!span->failed && TAILQ_EMPTY(&span->waiters)) { /* the server need not look at it */
        span_move(&sched->spans, span, SPAN_RESTING);
        return !TAILQ_EMPTY(&sched->stalled);
    }
    span_move(&sched->spans, span, SPAN_DONE);
    return true;
}

/* A row can be marked phased or not, as a whole: who reads it should hear, once, that some are neither. */
static void count_mixed(struct worker *worker)
{
    struct sched *sched = worker->sched;
    struct encode_worker *encode = &worker->encode;

    if (encode->nmixed > 0 && sched->stats.mixed_phase == 0)
        log_warning("variant %llu of the store has phased calls and others that are not: it is "
                    "shown without phase, and so is every variant like it (vczfs status counts "
                    "them)",
                    (unsigned long long)encode->last_mixed);
    sched->stats.mixed_phase += encode->nmixed;
    encode->nmixed = 0;
}

/* The same for a part that this worker has run: whoever finishes the last part, be it a cell or a donation,
 * also does what comes after it. Under the lock, which it drops meanwhile. */
static bool end_part(struct worker *worker, struct span *span, const struct err *failed)
{
    struct sched *sched = worker->sched;
    struct err err = {0};

    if (failed == NULL && !span->failed && span->pending == 1 && span->next_cell == span->ncells) {
        /* Nobody else touches the span any more, so the lock is not needed. */
        pthread_mutex_unlock(&sched->lock);
        if (encode_end(span->format, &span->target, &worker->encode, &err) != 0)
            failed = &err;
        pthread_mutex_lock(&sched->lock);
        count_mixed(worker);
    }
    return finish_part(sched, span, failed);
}

/* Donations of a cell: this worker writes into spans whose own cells start after what it writes. */
struct donation {
    struct worker *worker;
    size_t file;
    uint64_t end; /* of the last span: a donation goes to the one that begins there */
    const struct encode_cell *cell;
    struct span *to; /* under way, or NULL */
};

static bool claim_donation(void *arg, uint64_t end_element, struct encode_target *to)
{
    struct donation *donation = arg;
    struct sched *sched = donation->worker->sched;
    struct span *span;
    uint64_t cell;

    pthread_mutex_lock(&sched->lock);
    span = span_queued_at(&sched->spans, donation->file, donation->end);
    if (span != NULL && span->grid.genotype.vchunk_begin == donation->cell->vchunk &&
        span->grid.genotype.schunk_begin <= donation->cell->schunk) {
        cell = donation->cell->schunk - span->grid.genotype.schunk_begin;
        /* Once only: spans that overlap may end at the same row, and what is put twice is summed twice. */
        if (cell < span->nfirst && cell >= span->next_cell && span->first_element[cell] == 0) {
            span->first_element[cell] = end_element;
            span->pending++;
            *to = span->target;
            donation->to = span;
            donation->end = to->end;
        }
    }
    pthread_mutex_unlock(&sched->lock);
    return donation->to != NULL;
}

static void finish_donation(void *arg, const struct err *failed)
{
    struct donation *donation = arg;
    struct sched *sched = donation->worker->sched;
    bool last;

    pthread_mutex_lock(&sched->lock);
    last = end_part(donation->worker, donation->to, failed);
    donation->to = NULL;
    pthread_mutex_unlock(&sched->lock);
    if (last)
        wake_server(sched);
}

void add_decoder_stats(struct sched *sched, const struct decoder *decoder,
                       struct decoder_stats *seen)
{
    struct decoder_stats now;

    decoder_stats(decoder, &now);
    sched->stats.blocks += now.blocks - seen->blocks;
    sched->stats.bytes_decoded += now.bytes_decoded - seen->bytes_decoded;
    *seen = now;
}

static void run_cell(struct worker *worker, struct span *span, struct encode_cell *cell)
{
    struct sched *sched = worker->sched;
    struct donation donation = {
        .worker = worker, .file = span->file, .end = span->target.end, .cell = cell};
    const struct encode_donor donor = {claim_donation, finish_donation, &donation};
    const uint64_t begun = now_us();
    struct err err = {0};
    int failed;
    bool last;

    cell->donor = &donor;
    decoder_keep(worker->encode.decoder, !span->keep);
    failed = encode_cell(span->format, &span->target, cell, &worker->encode, NULL, &err);

    pthread_mutex_lock(&sched->lock);
    add_decoder_stats(sched, worker->encode.decoder, &worker->seen);
    sched->served[span->keep] += (now_us() - begun) >> span->keep;
    sched->block_rows = worker->encode.block_rows;
    last = end_part(worker, span, failed ? &err : NULL);
    pthread_mutex_unlock(&sched->lock);
    if (last)
        wake_server(sched);
}

static unsigned nworkers(const struct sched *sched)
{
    return sched->config.nthreads + SPARES_MAX;
}

/* Of the cell to be handed out next. */
static uint64_t next_number(const struct span *span)
{
    return span->again != 0 ? (uint64_t)__builtin_ctzll(span->again) : span->next_cell;
}

/* Is the span's next cell one of a chunk that a worker is stuck in? The next would stick there too. */
static bool would_stick(const struct sched *sched, const struct span *span)
{
    const struct encode_cell cell = encode_cell_at(&span->grid, next_number(span));

    for (unsigned i = 0; i < nworkers(sched); i++) {
        const struct worker *worker = &sched->workers[i];

        if (worker->stuck && worker->cell.kind == cell.kind && worker->cell.vchunk == cell.vchunk &&
            worker->cell.schunk == cell.schunk)
            return true;
    }
    return false;
}

/* The oldest span with cells to hand out of random or of sequential readers, whose spans are those worth
 * keeping. */
static struct span *first_span(const struct sched *sched, enum span_place place, bool sequential)
{
    struct span *span;

    TAILQ_FOREACH(span, &sched->spans.places[place], link)
    if (span->keep == sequential && (sched->nstuck == 0 || !would_stick(sched, span)))
        return span;
    return NULL;
}

/* Work ahead that is worth beginning: enough is queued to take what its blocks hold. */
static struct span *span_ahead(const struct sched *sched)
{
    struct span *span = first_span(sched, SPAN_AHEAD, true);
    const struct span *last = TAILQ_LAST(&sched->spans.places[SPAN_AHEAD], spans);

    if (span == NULL || span->next_cell != 0 || sched->spans.nbytes_ahead >= span->gather ||
        last->target.end == sched->view->files[last->file].size)
        return span;
    return NULL;
}

/* What to do next. Random readers, of whom there may be many, always wait for something; in order of
 * arrival they would leave sequential ones ever less. So where both want something, workers' time goes two to one
 * to sequential readers, who make the most of it; within each, it goes by age, and what somebody waits for
 * comes before work ahead. */
struct span *next_span(struct sched *sched)
{
    struct span *of[2] = {first_span(sched, SPAN_DEMAND, false),
                          first_span(sched, SPAN_DEMAND, true)};

    if (of[1] == NULL)
        of[1] = span_ahead(sched);
    for (unsigned i = 0; i < 2; i++)
        if (of[i] == NULL) {
            if (sched->served[i] + CREDIT_US < sched->served[1 - i])
                sched->served[i] = sched->served[1 - i] - CREDIT_US;
            return of[1 - i];
        }
    return of[sched->served[1] <= sched->served[0]];
}

struct encode_cell take_cell(struct sched *sched, struct span *span, uint64_t *number)
{
    const uint64_t i = next_number(span);
    struct encode_cell cell = encode_cell_at(&span->grid, i);

    *number = i;
    if (span->again != 0)
        span->again &= span->again - 1;
    else
        span->next_cell++;
    if (i < span->nfirst)
        cell.first_element = span->first_element[i];
    if (!span_has_cells(span))
        span_move(&sched->spans, span, SPAN_RUNNING);
    return cell;
}

/* Under the lock. True if there is work, or the scheduler stops; false if it has been idle. */
static bool wait_for_work(struct sched *sched, bool forever)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    while (!sched->stop && next_span(sched) == NULL) {
        if (forever)
            pthread_cond_wait(&sched->work, &sched->lock);
        else if (pthread_cond_timedwait(&sched->work, &sched->lock, &until) == ETIMEDOUT)
            return sched->stop || next_span(sched) != NULL;
    }
    return true;
}

/* A random reader's next read comes soon, and to be asleep by then costs more than it takes to decode a
 * block: a look around for a moment, for whoever else wants the processor first. */
static void linger(struct sched *sched)
{
    const unsigned seen = atomic_load(&sched->nannounced);
    const uint64_t until = now_us() + LINGER_US;

    pthread_mutex_unlock(&sched->lock);
    while (atomic_load(&sched->nannounced) == seen && now_us() < until)
        sched_yield();
    pthread_mutex_lock(&sched->lock);
}

/* Both under the lock. */
static void begin_cell(struct worker *worker, const struct encode_cell *cell)
{
    worker->cell = *cell;
    worker->busy = true;
    worker->ncells++;
}

static void end_cell(struct worker *worker)
{
    struct sched *sched = worker->sched;

    worker->busy = false;
    if (!worker->stuck)
        return;
    worker->stuck = false;
    sched->nstuck--;
    pthread_cond_broadcast(&sched->work); /* what would have stuck need not any more */
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct sched *sched = worker->sched;
    const bool spare = worker >= sched->workers + sched->config.nthreads;
    bool trimmed = true;

    pthread_mutex_lock(&sched->lock);
    for (;;) {
        struct span *span;
        struct encode_cell cell;
        uint64_t number;

        if (worker->small && next_span(sched) == NULL && !sched->stop)
            linger(sched);
        worker->small = false;
        if (!wait_for_work(sched, trimmed && !spare)) {
            pthread_mutex_unlock(&sched->lock);
            decoder_trim(worker->encode.decoder);
            trimmed = true;
            pthread_mutex_lock(&sched->lock);
            if (spare && sched->nstuck == 0)
                break;
            continue;
        }
        if (sched->stop)
            break;
        span = next_span(sched);
        cell = take_cell(sched, span, &number);
        worker->small = !span->keep && span->ncells <= 8;
        trimmed = false;
        begin_cell(worker, &cell);
        pthread_mutex_unlock(&sched->lock);
        run_cell(worker, span, &cell);
        pthread_mutex_lock(&sched->lock);
        end_cell(worker);
    }
    worker->gone = true;
    pthread_mutex_unlock(&sched->lock);
    return NULL;
}

static int start_worker(struct sched *sched, struct worker *worker, struct err *err)
{
    int failed;

    *worker = (struct worker){.sched = sched};
    if (encode_worker_init(&worker->encode, sched->config.scratch_max, sched->cache, err) != 0)
        return -1;
    worker->encode.phases = sched->phases;
    encode_worker_share(&worker->encode, sched->chunks);
    decoder_set_kept(worker->encode.decoder, sched->kept);
    failed = pthread_create(&worker->thread, NULL, worker_main, worker);
    if (failed != 0)
        return err_sys(err, ERR_SYSTEM, failed, "cannot start a worker thread");
    worker->started = true;
    return 0;
}

static void join_worker(struct worker *worker)
{
    if (worker->started)
        pthread_join(worker->thread, NULL);
    encode_worker_clear(&worker->encode);
    *worker = (struct worker){0};
}

int workers_start(struct sched *sched, struct err *err)
{
    sched->workers = calloc(nworkers(sched), sizeof *sched->workers);
    if (sched->workers == NULL)
        return err_set(err, ERR_MEMORY, "out of memory");
    for (unsigned i = 0; i < sched->config.nthreads; i++)
        if (start_worker(sched, &sched->workers[i], err) != 0)
            return -1;
    return 0;
}

/* Under the lock. */
static void start_spare(struct sched *sched)
{
    struct err err = {0};

    for (unsigned i = sched->config.nthreads; i < nworkers(sched); i++) {
        struct worker *worker = &sched->workers[i];

        if (worker->started && !worker->gone)
            continue;
        if (worker->started)
            join_worker(worker); /* its last act under the lock was to say that it goes */
        if (start_worker(sched, worker, &err) != 0) {
            log_warning("no thread to go on with while others wait for a disk: %s", err.msg);
            join_worker(worker);
        }
        return;
    }
}

/* Has it begun another cell, or computed, since the last look? */
static bool has_moved(struct worker *worker)
{
    struct timespec cpu = {0};
    clockid_t clock;
    bool moved;

    if (pthread_getcpuclockid(worker->thread, &clock) == 0)
        clock_gettime(clock, &cpu);
    moved = worker->ncells != worker->ncells_then || cpu.tv_sec != worker->cpu_then.tv_sec ||
            cpu.tv_nsec != worker->cpu_then.tv_nsec;
    worker->ncells_then = worker->ncells;
    worker->cpu_then = cpu;
    return moved;
}

bool workers_look(struct sched *sched)
{
    unsigned nfree = 0, nbusy = 0;

    pthread_mutex_lock(&sched->lock);
    for (unsigned i = 0; i < nworkers(sched); i++) {
        struct worker *worker = &sched->workers[i];

        if (!worker->started || worker->gone)
            continue;
        nbusy += worker->busy;
        if (!worker->busy || has_moved(worker)) {
            nfree++;
        } else if (!worker->stuck) {
            worker->stuck = true;
            sched->nstuck++;
        }
    }
    if (next_span(sched) != NULL) {
        if (nfree == 0)
            start_spare(sched);
        pthread_cond_broadcast(&sched->work); /* should anybody be asleep all the same */
    }
    pthread_mutex_unlock(&sched->lock);
    return nbusy > 0;
}

void workers_stop(struct sched *sched)
{
    pthread_mutex_lock(&sched->lock);
    sched->stop = true;
    pthread_cond_broadcast(&sched->work);
    pthread_mutex_unlock(&sched->lock);
    for (unsigned i = 0; sched->workers != NULL && i < nworkers(sched); i++)
        join_worker(&sched->workers[i]);
    free(sched->workers);
    sched->workers = NULL;
}
