/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/zarr/store/fetch_threads.h"

#include "common/evidence.h"
#include "common/parallel.h"
#include "common/size.h"
#include "encoderd/zarr/store/get.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define SLOTS_MOST  192 /* parts read at a time */
#define SLOTS_LEAST 4
#define SPARE_MOST  (SLOTS_MOST / 4) /* further threads, for objects that have none */
/* Each thread opens a file or two. What is open afterwards belongs to the caller of the store. */
#define FILES_A_SLOT 8
#define IDLE_SECONDS 1

/* An object with parts that are being read. */
struct holder {
    uint64_t id;
    unsigned n;
};

struct fetch_threads {
    const struct store *store; /* borrowed */
    unsigned slots, spare;
    pthread_mutex_t lock; /* for all members below, and the store's own members of ranges */
    pthread_cond_t work;  /* for idle threads */
    pthread_cond_t gone;  /* the last thread is */
    struct store_range *first,
        *last; /* the line: ranges with parts not begun, smallest order first */
    struct holder holders[SLOTS_MOST + SPARE_MOST];
    unsigned nholders, running, running_most; /* objects; parts */
    unsigned nthreads, nidle;
    bool ending;
};

/* The piece of work that one thread does for a range at a time. */
struct range_part {
    struct store_range *whole;
    struct store_range range;
};

/* ---- The line ---- */

static void line_add(struct fetch_threads *threads, struct store_range *range)
{
    struct store_range *before = threads->last;

    while (before != NULL && before->order > range->order)
        before = before->previous;
    range->previous = before;
    range->next = before != NULL ? before->next : threads->first;
    *(range->next != NULL ? &range->next->previous : &threads->last) = range;
    *(before != NULL ? &before->next : &threads->first) = range;
    range->in_line = true;
}

static void line_remove(struct fetch_threads *threads, struct store_range *range)
{
    if (!range->in_line)
        return;
    *(range->next != NULL ? &range->next->previous : &threads->last) = range->previous;
    *(range->previous != NULL ? &range->previous->next : &threads->first) = range->next;
    range->in_line = false;
}

/* ---- Fairness ---- */

static struct holder *find_holder(struct fetch_threads *threads, uint64_t id)
{
    for (unsigned i = 0; i < threads->nholders; i++)
        if (threads->holders[i].id == id)
            return &threads->holders[i];
    return NULL;
}

static void hold_slot(struct fetch_threads *threads, uint64_t id)
{
    struct holder *holder = find_holder(threads, id);

    if (holder != NULL)
        holder->n++;
    else
        threads->holders[threads->nholders++] = (struct holder){id, 1};
    threads->running++;
    if (threads->running > threads->running_most)
        threads->running_most = threads->running;
}

static void give_slot(struct fetch_threads *threads, uint64_t id)
{
    struct holder *holder = find_holder(threads, id);

    threads->running--;
    if (--holder->n == 0)
        *holder = threads->holders[--threads->nholders];
}

static bool may_begin(struct fetch_threads *threads, uint64_t id)
{
    const struct holder *holder = find_holder(threads, id);

    if (holder == NULL)
        return threads->running < threads->slots + threads->spare;
    return threads->running < threads->slots && holder->n < threads->slots - threads->running;
}

/* The first range in the line for which a thread may start; NULL if there is none. */
static struct store_range *pick(struct fetch_threads *threads)
{
    struct store_range *range = threads->first;

    while (range != NULL && (range->opening || !may_begin(threads, range->id)))
        range = range->next;
    return range;
}

/* ---- Parts ---- */

/* Computes what to read, when the object's size is known. */
static void know_object(struct store_range *range)
{
    range->nread = range_cut(range, range->object->size, &range->offset);
    range->size = range->object->size;
}

/* For a range whose object is not open yet: opens it and reads the first part. */
static void begin_opening(const struct store *store, struct store_range *range,
                          struct range_part *part)
{
    const bool whole = store->part == 0 || range->length <= store->part;

    store_range_init(&part->range, range->key, NULL, range->offset,
                     whole             ? range->length
                     : range->from_end ? 0
                                       : store->part,
                     range->to);
    part->range.from_end = range->from_end;
    part->range.likely_offset = range->likely_offset;
    part->range.likely_length = range->likely_length;
    if (!whole && !range->from_end && range->likely_length == 0) {
        part->range.likely_offset = range->offset;
        part->range.likely_length = range->length;
    }
    range->opening = true;
}

static void begin_part(struct fetch_threads *threads, struct store_range *range,
                       struct range_part *part)
{
    part->whole = range;
    if (range->object == NULL) {
        begin_opening(threads->store, range, part);
    } else {
        const uint64_t left = range->nread - range->begun, most = range->object->part;
        const uint64_t n = most == 0 ? left : size_min(left, most);

        store_range_init(&part->range, range->key, range->object, range->offset + range->begun, n,
                         n > 0 ? range->to + range->begun : NULL);
        range->begun += n;
        if (range->begun == range->nread)
            line_remove(threads, range);
    }
    range->parts++;
    hold_slot(threads, range->id);
}

/* True if no part is left to begin. */
static bool end_opening(const struct range_part *part, struct store_range *range)
{
    range->opening = false;
    range->object = part->range.object;
    if (part->range.state == RANGE_THERE) {
        know_object(range);
        range->begun = part->range.nread;
        return range->begun == range->nread;
    }
    range->state = part->range.state;
    return true;
}

/* Is the range answered? */
static bool end_part(struct fetch_threads *threads, const struct range_part *part)
{
    struct store_range *range = part->whole;

    give_slot(threads, range->id);
    range->parts--;
    if (part->range.state == RANGE_FAILED && range->state == RANGE_ASKED)
        range->err = part->range.err;
    if (range->opening ? end_opening(part, range) : part->range.state == RANGE_FAILED)
        line_remove(threads, range);
    if (part->range.state == RANGE_FAILED)
        range->state = RANGE_FAILED;
    if (range->parts > 0 || range->in_line)
        return false;
    if (range->state == RANGE_ASKED)
        range->state = RANGE_THERE;
    return true;
}

/* ---- Threads ---- */

static void *thread_main(void *arg);
static void serve(struct fetch_threads *threads, struct evidence_slot *slot);

/* Called without the lock. The thread has been counted before. */
static void start_thread(struct fetch_threads *threads)
{
    if (parallel_detach(thread_main, threads))
        return;
    pthread_mutex_lock(&threads->lock);
    if (threads->nthreads == 1)
        serve(threads, NULL); /* there is nobody else */
    if (--threads->nthreads == 0)
        pthread_cond_broadcast(&threads->gone);
    pthread_mutex_unlock(&threads->lock);
}

/* Gets another thread for parts that can be begun: wakes an idle one, or returns true if the caller
 * must start one. */
static bool call_thread(struct fetch_threads *threads)
{
    if (pick(threads) == NULL)
        return false;
    if (threads->nidle > 0) {
        pthread_cond_signal(&threads->work);
        return false;
    }
    if (threads->nthreads == threads->slots + threads->spare)
        return false;
    threads->nthreads++;
    return true;
}

/* Releases the lock while it reads. */
static void read_part(struct fetch_threads *threads, struct store_range *range,
                      struct evidence_slot *slot)
{
    struct range_part part;
    bool more;

    begin_part(threads, range, &part);
    more = call_thread(threads);
    pthread_mutex_unlock(&threads->lock);
    if (more)
        start_thread(threads);
    evidence_note(slot, range->label != NULL ? range->label : range->key, 0);
    get_range(threads->store, &part.range, true);
    evidence_done(slot);
    pthread_mutex_lock(&threads->lock);
    if (!end_part(threads, &part))
        return;
    pthread_mutex_unlock(&threads->lock);
    range_answered(threads->store, range, true);
    range->done(range, range->arg);
    pthread_mutex_lock(&threads->lock);
}

/* Under the lock: works until no part can be begun. */
static void serve(struct fetch_threads *threads, struct evidence_slot *slot)
{
    struct store_range *range;

    while ((range = pick(threads)) != NULL)
        read_part(threads, range, slot);
}

/* Under the lock. False if no work came for a long time. */
static bool wait_for_work(struct fetch_threads *threads)
{
    struct timespec until;
    int rc;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    threads->nidle++;
    rc = pthread_cond_timedwait(&threads->work, &threads->lock, &until);
    threads->nidle--;
    return rc != ETIMEDOUT || pick(threads) != NULL;
}

static void *thread_main(void *arg)
{
    struct fetch_threads *threads = arg;
    struct evidence_slot *slot = evidence_take_slot();

    pthread_mutex_lock(&threads->lock);
    do
        serve(threads, slot);
    while (!threads->ending && wait_for_work(threads));
    evidence_put_slot(slot);
    if (--threads->nthreads == 0)
        pthread_cond_broadcast(&threads->gone);
    pthread_mutex_unlock(&threads->lock);
    return NULL;
}

/* ---- All of them ---- */

static unsigned slots_for_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return SLOTS_LEAST;
    return (unsigned)size_max(SLOTS_LEAST, size_min(SLOTS_MOST, limit.rlim_cur / FILES_A_SLOT));
}

int fetch_threads_new(const struct store *store, struct fetch_threads **out)
{
    struct fetch_threads *threads = calloc(1, sizeof *threads);
    pthread_condattr_t attr;

    *out = threads;
    if (threads == NULL)
        return -1;
    threads->store = store;
    threads->slots = slots_for_limit();
    threads->spare = threads->slots / 4;
    pthread_mutex_init(&threads->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&threads->work, &attr);
    pthread_condattr_destroy(&attr);
    pthread_cond_init(&threads->gone, NULL);
    return 0;
}

void fetch_threads_free(struct fetch_threads *threads)
{
    if (threads == NULL)
        return;
    pthread_mutex_lock(&threads->lock);
    threads->ending = true;
    pthread_cond_broadcast(&threads->work);
    while (threads->nthreads > 0)
        pthread_cond_wait(&threads->gone, &threads->lock);
    pthread_mutex_unlock(&threads->lock);
    pthread_cond_destroy(&threads->gone);
    pthread_cond_destroy(&threads->work);
    pthread_mutex_destroy(&threads->lock);
    free(threads);
}

void fetch_submit(struct fetch_threads *threads, struct store_range *range)
{
    bool more;

    range->state = RANGE_ASKED;
    range->begun = 0;
    range->parts = 0;
    range->opening = false;
    range->id = range->object != NULL ? range->object->id : key_id(range->key);
    if (range->object != NULL)
        know_object(range);
    pthread_mutex_lock(&threads->lock);
    line_add(threads, range);
    more = call_thread(threads);
    pthread_mutex_unlock(&threads->lock);
    if (more)
        start_thread(threads);
}

bool fetch_withdraw(struct fetch_threads *threads, struct store_range *range)
{
    bool withdrawn;

    pthread_mutex_lock(&threads->lock);
    withdrawn = range->in_line && range->begun == 0 && range->parts == 0;
    if (withdrawn)
        line_remove(threads, range);
    pthread_mutex_unlock(&threads->lock);
    return withdrawn;
}

unsigned fetch_in_flight_max(const struct fetch_threads *threads)
{
    return threads->slots;
}

unsigned fetch_most_in_flight(struct fetch_threads *threads)
{
    unsigned most;

    pthread_mutex_lock(&threads->lock);
    most = threads->running_most;
    pthread_mutex_unlock(&threads->lock);
    return most;
}
