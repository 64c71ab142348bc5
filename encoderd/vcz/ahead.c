/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/ahead.h"

#include "common/abreast.h"
#include "common/parallel.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/warm.h"

#include <pthread.h>
#include <stdlib.h>

#define THREADS_MOST (2 * ABREAST_MOST) /* all that they do is wait */
/* Files that the table keeps open: chunks that the pass has not come to, at most, as many again
 * that it has, which are what the table forgets last, and what its threads have in hand. */
#define TABLE_OPEN 2048
#define WINDOW(n)  ((n)*2 / 5)

struct place {
    const struct zarr_array *array; /* NULL: it was tried */
    uint64_t chunk, across;         /* along the first axis and the second */
};

/* When the pass has come past the range, it has come past so many places. */
struct mark {
    uint64_t range, nplaces;
};

struct ahead {
    struct ahead_plan plan;
    const struct store *store; /* borrowed */
    size_t window;             /* places that are asked for and not passed, at most */

    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t moved; /* there may be places to take, or it is to end */
    pthread_cond_t gone;  /* the last thread is */
    uint64_t reached;     /* the last range that the pass has come to */
    bool stop;
    bool waits;      /* those before had to be waited for */
    uint64_t nquiet; /* since one that had: where they fill a window, others will not have to */
    unsigned nthreads, nidle;

    /* The next place: of the whole arrays, and then of the range, if it has been begun. */
    unsigned nwhole;
    uint64_t whole_chunk;
    uint64_t range, begin, end;
    bool in_range;
    uint64_t next[AHEAD_ARRAYS_MAX], across[AHEAD_ARRAYS_MAX];

    struct place *places; /* owned; a ring of `window`: taken, and not yet */
    struct mark *marks;   /* owned; as long */
    uint64_t ntaken, nplaces, npassed;
    uint64_t nmarks, nmarks_passed;
};

/* ---- Places: all under the lock ---- */

/* The next chunk of the arrays that are read whole. */
static bool next_of_whole(struct ahead *ahead, struct place *out)
{
    for (; ahead->nwhole < AHEAD_WHOLE_MAX; ahead->nwhole++, ahead->whole_chunk = 0) {
        const struct zarr_array *array = ahead->plan.whole[ahead->nwhole];

        if (array == NULL || ahead->whole_chunk >= array->meta.nchunks[0])
            continue;
        *out = (struct place){array, ahead->whole_chunk++, 0};
        return true;
    }
    return false;
}

/* The next chunk of the array in the range that was not asked for. Chunks next to each other along
 * the second axis, as an array of alleles may have, are read together; more than there is room for
 * are nobody's hurry. */
static bool next_of_array(struct ahead *ahead, unsigned i, struct place *out)
{
    const struct zarr_array *array = ahead->plan.arrays[i];
    const uint64_t length = array == NULL ? 1 : array->meta.chunk[0];
    const uint64_t width = array == NULL || array->meta.ndim == 1 ? 1 : array->meta.nchunks[1];

    if (array == NULL || width == 0 || width > ahead->window)
        return false;
    if (ahead->next[i] < ahead->begin / length)
        ahead->next[i] = ahead->begin / length;
    if (ahead->next[i] * length >= ahead->end)
        return false;
    *out = (struct place){array, ahead->next[i], ahead->across[i]};
    if (++ahead->across[i] == width) {
        ahead->across[i] = 0;
        ahead->next[i]++;
    }
    return true;
}

static void end_range(struct ahead *ahead)
{
    const uint64_t before =
        ahead->nmarks == 0 ? 0 : ahead->marks[(ahead->nmarks - 1) % ahead->window].nplaces;

    if (ahead->nplaces > before)
        ahead->marks[ahead->nmarks++ % ahead->window] = (struct mark){ahead->range, ahead->nplaces};
    ahead->range++;
    ahead->in_range = false;
}

static bool next_place(struct ahead *ahead, struct place *out)
{
    if (next_of_whole(ahead, out))
        return true;
    for (; ahead->range < ahead->plan.nranges; end_range(ahead)) {
        if (!ahead->in_range)
            ahead->plan.range(ahead->plan.arg, ahead->range, &ahead->begin, &ahead->end);
        ahead->in_range = true;
        for (unsigned i = 0; ahead->begin < ahead->end && i < AHEAD_ARRAYS_MAX; i++)
            if (next_of_array(ahead, i, out))
                return true;
    }
    return false;
}

/* That the pass has come past and that were taken: what was not is still wanted, as another thread
 * of the pass's may be at a range before the last one. */
static uint64_t count_done(const struct ahead *ahead)
{
    /* A range that the pass is in, and that has more places than there is room for, has no mark
     * yet. */
    if (ahead->in_range && ahead->range <= ahead->reached && ahead->nmarks_passed == ahead->nmarks)
        return ahead->ntaken;
    return size_min(ahead->npassed, ahead->ntaken);
}

/* As many as there is room for. */
static void add_places(struct ahead *ahead)
{
    struct place place;

    while (ahead->nplaces - count_done(ahead) < ahead->window && next_place(ahead, &place))
        ahead->places[ahead->nplaces++ % ahead->window] = place;
}

/* The pass has come past ranges. */
static void pass_marks(struct ahead *ahead)
{
    for (; ahead->nmarks_passed < ahead->nmarks; ahead->nmarks_passed++) {
        const struct mark *mark = &ahead->marks[ahead->nmarks_passed % ahead->window];

        if (mark->range >= ahead->reached)
            return;
        ahead->npassed = mark->nplaces;
    }
}

/* ---- Threads ---- */

static void *thread_main(void *arg);

/* So often has the store made somebody wait, as far as it can tell. */
static uint64_t count_waits(const struct ahead *ahead)
{
    struct store_counts counts;

    store_counts(ahead->store, &counts);
    return counts.waits;
}

/* Drops the lock meanwhile. A thread that waits for another one, or for memory, has not waited for
 * the store. */
static void warm(struct ahead *ahead, const struct place *place)
{
    const uint64_t index[ZARR_DIMS_MAX] = {place->chunk, place->across};
    struct abreast_moment since;
    uint64_t nwaits;
    bool waited;

    pthread_mutex_unlock(&ahead->lock);
    since = abreast_now(store_is_here(ahead->store));
    nwaits = count_waits(ahead);
    chunk_warm(ahead->plan.table, place->array, index);
    waited = abreast_waited(&since) && count_waits(ahead) > nwaits;
    if (waited)
        store_set_far(ahead->store);
    pthread_mutex_lock(&ahead->lock);
    ahead->nquiet = waited ? 0 : ahead->nquiet + 1;
    ahead->waits = waited || (ahead->waits && ahead->nquiet < ahead->window);
}

/* Under the lock: false if the system gives no further thread. */
static bool start_thread(struct ahead *ahead)
{
    const bool started = parallel_detach(thread_main, ahead);

    ahead->nthreads += started;
    return started;
}

/* Another thread for what there is to take. */
static void call_thread(struct ahead *ahead)
{
    if (ahead->ntaken == ahead->nplaces)
        return;
    if (ahead->nidle > 0)
        pthread_cond_signal(&ahead->moved);
    else if (ahead->nthreads < THREADS_MOST)
        start_thread(ahead);
}

/* The last of what there is room for, which the pass cannot have read: if it had to be waited for,
 * so will the others; else they are not looked at. */
static void try_last(struct ahead *ahead)
{
    struct place *last = &ahead->places[(ahead->nplaces - 1) % ahead->window];
    const struct place place = *last;

    last->array = NULL;
    warm(ahead, &place);
    if (!ahead->waits)
        ahead->ntaken = ahead->nplaces;
}

static void take_one(struct ahead *ahead)
{
    const struct place place = ahead->places[ahead->ntaken++ % ahead->window];

    call_thread(ahead);
    if (place.array != NULL)
        warm(ahead, &place);
}

/* Nothing more will be asked for. */
static bool is_done(const struct ahead *ahead)
{
    return ahead->stop || (ahead->ntaken == ahead->nplaces && ahead->range == ahead->plan.nranges);
}

/* Is it time for more places? Where nobody waits, when half of what was looked at last has been
 * passed. */
static bool wants_places(const struct ahead *ahead)
{
    return ahead->waits || ahead->nplaces - count_done(ahead) <= ahead->window / 2;
}

/* Is there something to take? */
static bool has_work(struct ahead *ahead)
{
    if (wants_places(ahead))
        add_places(ahead);
    return ahead->ntaken < ahead->nplaces;
}

static void wait_for_move(struct ahead *ahead)
{
    ahead->nidle++;
    pthread_cond_wait(&ahead->moved, &ahead->lock);
    ahead->nidle--;
}

static void *thread_main(void *arg)
{
    struct ahead *ahead = arg;

    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stop) {
        const bool work = has_work(ahead);

        if (is_done(ahead) || (!ahead->waits && ahead->nthreads > 1))
            break;
        if (!work)
            wait_for_move(ahead);
        else if (ahead->waits)
            take_one(ahead);
        else
            try_last(ahead);
    }
    pthread_cond_broadcast(&ahead->moved); /* for the others to see it, too */
    if (--ahead->nthreads == 0)
        pthread_cond_broadcast(&ahead->gone);
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

/* ---- All of it ---- */

static const struct store *store_of(const struct ahead_plan *plan)
{
    for (unsigned i = 0; i < AHEAD_WHOLE_MAX; i++)
        if (plan->whole[i] != NULL)
            return plan->whole[i]->store;
    for (unsigned i = 0; i < AHEAD_ARRAYS_MAX; i++)
        if (plan->arrays[i] != NULL)
            return plan->arrays[i]->store;
    return NULL;
}

static void ahead_free(struct ahead *ahead)
{
    pthread_cond_destroy(&ahead->gone);
    pthread_cond_destroy(&ahead->moved);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead->marks);
    free(ahead->places);
    free(ahead);
}

struct ahead *ahead_begin(const struct ahead_plan *plan)
{
    const struct store *store = store_of(plan);
    struct ahead *ahead = store == NULL ? NULL : calloc(1, sizeof *ahead);
    bool started = false;

    if (ahead == NULL)
        return NULL;
    ahead->plan = *plan;
    ahead->store = store;
    ahead->waits = store_is_far(store);
    ahead->window = WINDOW(chunk_table_keep_open(plan->table, TABLE_OPEN));
    ahead->places = calloc(ahead->window, sizeof *ahead->places);
    ahead->marks = calloc(ahead->window, sizeof *ahead->marks);
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->moved, NULL);
    pthread_cond_init(&ahead->gone, NULL);
    pthread_mutex_lock(&ahead->lock);
    if (ahead->places != NULL && ahead->marks != NULL)
        started = start_thread(ahead);
    pthread_mutex_unlock(&ahead->lock);
    if (started)
        return ahead;
    ahead_free(ahead);
    return NULL;
}

void ahead_reached(struct ahead *ahead, uint64_t range)
{
    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->lock);
    if (range > ahead->reached) {
        ahead->reached = range;
        pass_marks(ahead);
        if (wants_places(ahead)) /* else it would be woken for nothing */
            pthread_cond_signal(&ahead->moved);
    }
    pthread_mutex_unlock(&ahead->lock);
}

void ahead_end(struct ahead *ahead)
{
    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stop = true;
    pthread_cond_broadcast(&ahead->moved);
    while (ahead->nthreads > 0)
        pthread_cond_wait(&ahead->gone, &ahead->lock);
    pthread_mutex_unlock(&ahead->lock);
    ahead_free(ahead);
}
