#include "encoderd/sched_impl.h"

#include "common/size.h"
#include "encoderd/zarr/chunk/chunk_table.h"
#include "encoderd/zarr/chunk/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What a span may always take, and the share of the arena that one reader's span and all work ahead may take. */
#define SPAN_MIN    UINT64_C(131072)
#define SPAN_SHARE  8
#define AHEAD_SHARE 4

/* Of the rows that a block reaches over, so many may be left out between reads that still are one run. */
#define SKIP_SHARE 4

/* Shorter reads than the kernel's read-ahead are not gone on from by other readers. */
#define RUN_READ_MIN UINT64_C(16384)

/* Spans kept though nobody holds them. The kernel's page cache has what was read; these serve a second
 * reader close behind. Few, so that the arena's pages stay in the processor's cache. */
#define RESTING_MAX (4 * PLAN_SPAN_MAX)

struct sched *sched_new(const struct view *view, struct arena *arena,
                        const struct sched_config *config, struct err *err)
{
    struct sched *sched = calloc(1, sizeof *sched);
    pthread_mutexattr_t kind;
    pthread_condattr_t attr;

    if (sched == NULL) {
        err_set(err, ERR_MEMORY, "out of memory");
        return NULL;
    }
    sched->view = view;
    sched->config = *config;
    /* It is held for so short that to wait awake costs less than to sleep. */
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&sched->lock, &kind);
    pthread_mutexattr_destroy(&kind);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&sched->work, &attr);
    pthread_condattr_destroy(&attr);
    span_table_init(&sched->spans, arena);
    for (int i = 0; i < HANDLE_BUCKETS; i++)
        TAILQ_INIT(&sched->handles[i]);
    for (int i = 0; i < LEASE_BUCKETS; i++)
        TAILQ_INIT(&sched->leases[i]);
    TAILQ_INIT(&sched->answers);
    pool_init(&sched->lease_pool, sizeof(struct lease), 0);
    pool_init(&sched->answer_pool, sizeof(struct answer), 0);
    TAILQ_INIT(&sched->stalled);
    sched->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sched->wake_fd < 0)
        err_sys(err, ERR_SYSTEM, errno, "cannot make an eventfd");
    if (config->cache_max > 0)
        sched->cache = cache_new(config->cache_max, err);
    if (config->kept_max > 0)
        sched->kept = block_cache_new(config->kept_max, err);
    sched->phases = phase_cache_new(err);
    sched->chunks = chunk_table_new(err);
    if (sched->wake_fd < 0 || sched->phases == NULL || sched->chunks == NULL ||
        (config->cache_max > 0 && sched->cache == NULL) ||
        (config->kept_max > 0 && sched->kept == NULL) || quick_init(sched, err) != 0 ||
        workers_start(sched, err) != 0) {
        sched_free(sched);
        return NULL;
    }
    return sched;
}

static void free_handle(struct sched *sched, struct handles *bucket, struct handle *handle)
{
    sched->nsequential -= handle->reader.streak > 0;
    sched->nhandles--;
    TAILQ_REMOVE(bucket, handle, link);
    free(handle);
}

/* What is out or waiting goes back to its pool, and the pools go. */
static void free_queues(struct sched *sched)
{
    struct lease *lease;
    struct answer *answer;
    struct waiter *waiter;

    for (int i = 0; i < LEASE_BUCKETS; i++) {
        while ((lease = TAILQ_FIRST(&sched->leases[i])) != NULL) {
            TAILQ_REMOVE(&sched->leases[i], lease, link);
            pool_put(&sched->lease_pool, lease);
        }
    }
    while ((answer = TAILQ_FIRST(&sched->answers)) != NULL) {
        TAILQ_REMOVE(&sched->answers, answer, link);
        pool_put(&sched->answer_pool, answer);
    }
    while ((waiter = TAILQ_FIRST(&sched->stalled)) != NULL) {
        TAILQ_REMOVE(&sched->stalled, waiter, link);
        pool_put(&sched->spans.waiters, waiter);
    }
    pool_clear(&sched->lease_pool, NULL);
    pool_clear(&sched->answer_pool, NULL);
    span_table_clear(&sched->spans);
}

void sched_free(struct sched *sched)
{
    struct handle *handle;

    if (sched == NULL)
        return;
    workers_stop(sched);
    quick_clear(sched);
    cache_free(sched->cache);
    phase_cache_free(sched->phases);
    block_cache_free(sched->kept);
    chunk_table_free(sched->chunks);
    free_queues(sched);
    for (int i = 0; i < HANDLE_BUCKETS; i++)
        while ((handle = TAILQ_FIRST(&sched->handles[i])) != NULL)
            free_handle(sched, &sched->handles[i], handle);
    if (sched->wake_fd >= 0)
        close(sched->wake_fd);
    pthread_cond_destroy(&sched->work);
    pthread_mutex_destroy(&sched->lock);
    free(sched);
}

int sched_wake_fd(const struct sched *sched)
{
    return sched->wake_fd;
}

static struct answer *new_answer(struct sched *sched, uint64_t id)
{
    struct answer *answer = pool_get(&sched->answer_pool);

    if (answer == NULL)
        return NULL; /* the front's deadline answers that read */
    answer->answer.id = id;
    TAILQ_INSERT_TAIL(&sched->answers, answer, link);
    return answer;
}

static void answer_error(struct sched *sched, uint64_t id, const struct err *err)
{
    struct answer *answer = new_answer(sched, id);

    if (answer == NULL)
        return;
    answer->answer.failed = true;
    answer->answer.err = *err;
}

/* Leases a ready span to a read. */
static void answer_lease(struct sched *sched, uint64_t id, struct span *span)
{
    struct lease *lease = pool_get(&sched->lease_pool);
    struct answer *answer = lease == NULL ? NULL : new_answer(sched, id);

    if (answer == NULL) {
        pool_put(&sched->lease_pool, lease);
        return;
    }
    lease->id = ++sched->next_lease;
    lease->span = span;
    TAILQ_INSERT_TAIL(&sched->leases[lease->id % LEASE_BUCKETS], lease, link);
    span->nleases++;
    span->unread = false;
    sched->stats.leases_held++;
    span_move(&sched->spans, span, SPAN_RESTING); /* most recently used now */
    answer->answer.lease = lease->id;
    answer->answer.offset = span->target.begin;
    answer->answer.length = span->target.end - span->target.begin;
    answer->answer.at = span->at;
}

/* The handle's history on this file. NULL if it is closed, or there was no memory for it. */
static struct handle *find_handle(struct sched *sched, uint64_t id, size_t file)
{
    struct handle *handle;

    TAILQ_FOREACH(handle, &sched->handles[id % HANDLE_BUCKETS], link)
    if (handle->handle == id && handle->file == file)
        return handle;
    return NULL;
}

/* Begins a history where there is none. Only when a read comes: what is left of a read that waited for room
 * must not bring back a handle that was closed meanwhile, which nobody would close again. */
static void note_handle(struct sched *sched, uint64_t id, size_t file)
{
    struct handle *handle = find_handle(sched, id, file);

    if (handle != NULL || (handle = calloc(1, sizeof *handle)) == NULL)
        return;
    handle->handle = id;
    handle->file = file;
    TAILQ_INSERT_HEAD(&sched->handles[id % HANDLE_BUCKETS], handle, link);
    sched->nhandles++;
}

static struct plan_limits current_limits(const struct sched *sched)
{
    const uint64_t readers = size_max(1, sched->nsequential);
    const uint64_t share = arena_size(sched->spans.arena) / SPAN_SHARE / readers;

    return (struct plan_limits){
        .span_max = size_min(PLAN_SPAN_MAX, size_max(SPAN_MIN, share)),
        .skip_max = size_max(1, sched->block_rows / SKIP_SHARE),
    };
}

/* Does a cell of the span need a chunk that is held back? Then it is of no use, and nothing has to be decoded to
 * know. What is needed for more than calls turns out later. */
static bool is_held(const struct sched *sched, const struct span *span, struct err *err)
{
    const struct vcz *vcz = sched->view->vcz;
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

/* A new span is queued, or, if it needs no genotypes, done. */
static void announce(struct sched *sched, struct span *span)
{
    sched->stats.spans++;
    sched->stats.bytes_encoded += span->target.end - span->target.begin;
    span->failed = is_held(sched, span, &span->err);
    if (span->ncells == 0 || span->failed)
        span_move(&sched->spans, span, SPAN_DONE);
    else
        sched->nfresh += span->ncells;
}

/* Sees to what has been announced. True if it was done here and now; else *nwanted is how many workers should be
 * woken, once the lock is dropped, which they would only wait for. */
static bool start_work(struct sched *sched, uint64_t *nwanted)
{
    *nwanted = 0;
    if (sched->nfresh == 0)
        return false;
    if (quick_try(sched)) {
        sched->nfresh = 0;
        return true;
    }
    if (next_span(sched) != NULL) {
        atomic_fetch_add(&sched->nannounced, 1);
        *nwanted = sched->nfresh;
    }
    sched->nfresh = 0;
    return false;
}

/* So far ahead there should be spans: a block that is decoded is to find all those that it has rows for,
 * wherever in them it begins. */
static uint64_t reach_ahead(const struct sched *sched, const struct view_file *file)
{
    const uint64_t most = arena_size(sched->spans.arena) / AHEAD_SHARE / 2;
    const uint64_t rows = size_min(2 * sched->block_rows, most / file->stream->layout.row_nbytes);

    return rows * file->stream->layout.row_nbytes;
}

/* Begins what a sequential reader will ask for after `at`. */
static void work_ahead(struct sched *sched, const struct handle *handle, uint64_t at)
{
    const struct view_file *file = &sched->view->files[handle->file];
    const struct plan_limits limits = current_limits(sched);
    const uint64_t budget = arena_size(sched->spans.arena) / AHEAD_SHARE;
    const unsigned most = handle->reader.streak < 2 ? 1 : sched->config.nthreads + 1;
    const uint64_t distance = handle->reader.streak < 2 ? 0 : reach_ahead(sched, file);
    const uint64_t reach = at + distance;

    for (unsigned n = 0; (n < most || at < reach) && at < file->size; n++) {
        struct span *span = span_covering(&sched->spans, handle->file, at);

        if (span == NULL) {
            const struct extent_plan plan =
                plan_ahead(&file->stream->layout, file->size, &limits, at);
            const uint64_t end = span_next_begin(&sched->spans, handle->file, at, plan.end);

            if (sched->spans.nbytes_ahead + (end - at) > budget)
                return;
            span = span_new(&sched->spans, file->stream, handle->file, at, end, true);
            if (span == NULL)
                return;
            span->for_handle = handle->handle;
            span->unread = true;
            span->gather = distance / 2;
            span->keep = true;
            announce(sched, span);
        }
        at = span->target.end;
    }
}

/* Makes the span a waiter needs, the shortest possible if there is no room for the planned one. */
static struct span *new_demand(struct sched *sched, const struct waiter *waiter,
                               struct extent_plan plan)
{
    const struct view_file *file = &sched->view->files[waiter->read.file];
    const struct plan_limits limits = current_limits(sched);
    struct span *span;
    uint64_t end = plan.end;

    if (plan.sequential)
        end = span_next_begin(&sched->spans, waiter->read.file, waiter->read.offset, plan.end);
    span = span_new(&sched->spans, file->stream, waiter->read.file, plan.begin, end, false);
    if (span == NULL && plan.sequential) {
        plan = plan_exact(&file->stream->layout, file->size, &limits, waiter->read.offset,
                          waiter->read.length);
        span =
            span_new(&sched->spans, file->stream, waiter->read.file, plan.begin, plan.end, false);
    }
    if (span == NULL)
        return NULL;
    span->keep = plan.sequential;
    announce(sched, span);
    return span;
}

static void attach(struct sched *sched, struct span *span, struct waiter *waiter)
{
    if (span->place == SPAN_RESTING) {
        answer_lease(sched, waiter->read.id, span);
        pool_put(&sched->spans.waiters, waiter);
        return;
    }
    if (span->place == SPAN_AHEAD) {
        /* It may have been left lying as not worth beginning yet, and all workers sleep. */
        sched->nfresh += span->ncells - span->next_cell;
        span_move(&sched->spans, span, SPAN_DEMAND);
    }
    TAILQ_INSERT_TAIL(&span->waiters, waiter, link);
}

/* Readers that are close together read each a part of what they all read, since the kernel keeps for all
 * what it has read for one. So where another one stopped this one may go on. */
static const struct reader *find_run(const struct sched *sched, const struct sched_read *read)
{
    for (unsigned i = 0; i < RUNS_MAX; i++)
        if (sched->runs[i].file == read->file && sched->runs[i].reader.next == read->offset)
            return &sched->runs[i].reader;
    return NULL;
}

static void note_run(struct sched *sched, const struct sched_read *read,
                     const struct reader *reader)
{
    if (read->length < RUN_READ_MIN)
        return;
    for (unsigned i = 0; i < RUNS_MAX; i++)
        if (sched->runs[i].file == read->file && sched->runs[i].reader.next == reader->next)
            return;
    sched->runs[sched->next_run++ % RUNS_MAX] = (struct run){read->file, *reader};
}

static struct extent_plan plan_least(const struct sched *sched, const struct waiter *waiter)
{
    const struct sched_read *read = &waiter->read;
    const struct view_file *file = &sched->view->files[read->file];
    const struct plan_limits limits = current_limits(sched);

    return (waiter->reach == REACH_ROW ? plan_in_row : plan_exact)(
        &file->stream->layout, file->size, &limits, read->offset, read->length);
}

/* Plans for a read and keeps the handle's history and the count of sequential readers right. */
static struct extent_plan plan_for(struct sched *sched, struct handle *handle,
                                   const struct waiter *waiter)
{
    const struct sched_read *read = &waiter->read;
    const struct view_file *file = &sched->view->files[read->file];
    const struct stream_layout *layout = &file->stream->layout;
    const struct plan_limits limits = current_limits(sched);
    const bool before = handle != NULL && handle->reader.streak > 0;
    const struct reader *run;
    struct extent_plan plan;

    if (waiter->reach != REACH_PLANNED || handle == NULL)
        return plan_least(sched, waiter);
    if (!plan_continues(&handle->reader, layout, &limits, read->offset, read->length) &&
        (run = find_run(sched, read)) != NULL)
        handle->reader = *run;
    plan = plan_read(&handle->reader, layout, file->size, &limits, read->offset, read->length);
    if (handle->reader.streak > 0 && !before)
        sched->nsequential++;
    else if (handle->reader.streak == 0 && before)
        sched->nsequential--;
    return plan;
}

/* Finds or makes a span for a waiter, which it then owns; false, and the waiter stays the caller's, if
 * there is no room. */
static bool place(struct sched *sched, struct waiter *waiter)
{
    struct handle *handle = find_handle(sched, waiter->read.handle, waiter->read.file);
    const struct extent_plan plan = plan_for(sched, handle, waiter);
    const struct sched_read read = waiter->read; /* the span may answer it, and drop it */
    struct span *span = NULL;
    uint64_t end;

    if (waiter->reach == REACH_PLANNED)
        span = span_covering(&sched->spans, waiter->read.file, waiter->read.offset);
    if (span == NULL)
        span = new_demand(sched, waiter, plan);
    if (span == NULL)
        return false;
    end = span->target.end;
    attach(sched, span, waiter);
    if (handle != NULL && plan.sequential) {
        handle->reader.next = size_max(handle->reader.next, end);
        work_ahead(sched, handle, end);
    }
    if (handle != NULL)
        note_run(sched, &read, &handle->reader);
    return true;
}

static void place_or_stall(struct sched *sched, struct waiter *waiter)
{
    if (!place(sched, waiter))
        TAILQ_INSERT_TAIL(&sched->stalled, waiter, link);
}

static void retry_stalled(struct sched *sched)
{
    struct waiter *waiter;

    while ((waiter = TAILQ_FIRST(&sched->stalled)) != NULL) {
        TAILQ_REMOVE(&sched->stalled, waiter, link);
        if (!place(sched, waiter)) {
            TAILQ_INSERT_HEAD(&sched->stalled, waiter, link);
            return;
        }
    }
}

void sched_read(struct sched *sched, const struct sched_read *read)
{
    struct waiter *waiter;

    pthread_mutex_lock(&sched->lock);
    sched->stats.reads++;
    note_handle(sched, read->handle, read->file);
    waiter = pool_get(&sched->spans.waiters);
    if (waiter != NULL) { /* else the front's deadline answers that read */
        waiter->read = *read;
        if (TAILQ_EMPTY(&sched->stalled))
            place_or_stall(sched, waiter);
        else
            TAILQ_INSERT_TAIL(&sched->stalled, waiter, link);
    }
    pthread_mutex_unlock(&sched->lock);
}

/* Makes the read's reach so short that the span for it leaves out bytes of the one that failed; false if there is no
 * such. */
static bool shorten_reach(const struct sched *sched, const struct span *span, struct waiter *waiter)
{
    while (waiter->reach < REACH_ROW) {
        struct extent_plan least;

        waiter->reach++;
        least = plan_least(sched, waiter);
        if (least.end - least.begin < span->target.end - span->target.begin)
            return true;
    }
    return false;
}

/* A span came back from the workers: answer everybody who waited for it. */
static void deliver(struct sched *sched, struct span *span)
{
    struct waiters waiters;
    struct waiter *waiter;

    TAILQ_INIT(&waiters);
    TAILQ_CONCAT(&waiters, &span->waiters, link);
    if (!span->failed)
        span_move(&sched->spans, span, SPAN_RESTING);
    while ((waiter = TAILQ_FIRST(&waiters)) != NULL) {
        TAILQ_REMOVE(&waiters, waiter, link);
        if (!span->failed) {
            answer_lease(sched, waiter->read.id, span);
        } else if (shorten_reach(sched, span, waiter)) {
            place_or_stall(sched, waiter);
            continue;
        } else {
            answer_error(sched, waiter->read.id, &span->err);
        }
        pool_put(&sched->spans.waiters, waiter);
    }
    if (span->failed) {
        sched->stats.spans_failed++;
        span_free(&sched->spans, span);
    }
}

/* All that is done is delivered, also what needed no worker, and so was done as soon as there was room. */
static void deliver_all(struct sched *sched)
{
    struct span *span;

    do {
        while ((span = TAILQ_FIRST(&sched->spans.places[SPAN_DONE])) != NULL)
            deliver(sched, span);
        retry_stalled(sched);
    } while (!TAILQ_EMPTY(&sched->spans.places[SPAN_DONE]));
}

size_t sched_answers(struct sched *sched, struct sched_answer *answers, size_t max)
{
    struct answer *answer;
    eventfd_t ignored;
    uint64_t nwanted;
    size_t n = 0;

    pthread_mutex_lock(&sched->lock);
    do {
        /* Whoever finds it set does not write; so it is taken back before anything is looked at, and
         * only once what was written has come. */
        if (atomic_load(&sched->woken) && eventfd_read(sched->wake_fd, &ignored) == 0)
            atomic_store(&sched->woken, false);
        deliver_all(sched);
    } while (start_work(sched, &nwanted));
    while (n < max && (answer = TAILQ_FIRST(&sched->answers)) != NULL) {
        TAILQ_REMOVE(&sched->answers, answer, link);
        answers[n++] = answer->answer;
        pool_put(&sched->answer_pool, answer);
    }
    pthread_mutex_unlock(&sched->lock);
    if (nwanted == 1)
        pthread_cond_signal(&sched->work);
    else if (nwanted > 1)
        pthread_cond_broadcast(&sched->work);
    return n;
}

bool sched_return(struct sched *sched, uint64_t id)
{
    struct leases *bucket = &sched->leases[id % LEASE_BUCKETS];
    struct lease *lease;

    pthread_mutex_lock(&sched->lock);
    TAILQ_FOREACH(lease, bucket, link)
    if (lease->id == id)
        break;
    if (lease != NULL) {
        TAILQ_REMOVE(bucket, lease, link);
        sched->stats.leases_held--;
        if (--lease->span->nleases == 0 && !lease->span->keep)
            span_free(&sched->spans, lease->span);
        span_table_trim(&sched->spans, RESTING_MAX, false);
        pool_put(&sched->lease_pool, lease);
    }
    pthread_mutex_unlock(&sched->lock);
    return lease != NULL;
}

void sched_release(struct sched *sched, uint64_t id)
{
    struct handles *bucket = &sched->handles[id % HANDLE_BUCKETS];
    struct handle *handle, *next_handle;
    struct span *span, *next;

    pthread_mutex_lock(&sched->lock);
    for (handle = TAILQ_FIRST(bucket); handle != NULL; handle = next_handle) {
        next_handle = TAILQ_NEXT(handle, link);
        if (handle->handle == id)
            free_handle(sched, bucket, handle);
    }
    for (span = TAILQ_FIRST(&sched->spans.places[SPAN_AHEAD]); span != NULL; span = next) {
        next = TAILQ_NEXT(span, link);
        if (span->for_handle == id && span->next_cell == 0 && span->pending == span->ncells)
            span_free(&sched->spans, span);
    }
    span_table_give_up(&sched->spans, id);
    pthread_mutex_unlock(&sched->lock);
}

void sched_idle(struct sched *sched)
{
    pthread_mutex_lock(&sched->lock);
    span_table_trim(&sched->spans, 0, true);
    arena_trim(sched->spans.arena);
    quick_trim(sched);
    pthread_mutex_unlock(&sched->lock);
    if (sched->cache != NULL)
        cache_trim(sched->cache);
    if (sched->kept != NULL)
        block_cache_trim(sched->kept);
    chunk_table_trim(sched->chunks);
    store_trim(sched->view->vcz->store);
}

/* Under the lock. A span that a worker took since workers_look counted them is running, and counts. */
static bool anybody_waits(const struct sched *sched)
{
    return !TAILQ_EMPTY(&sched->stalled) || !TAILQ_EMPTY(&sched->spans.places[SPAN_DEMAND]) ||
           !TAILQ_EMPTY(&sched->spans.places[SPAN_RUNNING]) ||
           !TAILQ_EMPTY(&sched->spans.places[SPAN_DONE]);
}

bool sched_look(struct sched *sched)
{
    const bool busy = workers_look(sched);
    bool waits;

    pthread_mutex_lock(&sched->lock);
    waits = anybody_waits(sched);
    pthread_mutex_unlock(&sched->lock);
    return busy || waits;
}

void sched_stats(struct sched *sched, struct sched_stats *out)
{
    pthread_mutex_lock(&sched->lock);
    *out = sched->stats;
    out->arena_used = arena_used(sched->spans.arena);
    pthread_mutex_unlock(&sched->lock);
}
