/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/vcz/ahead.h"

#include "common/abreast.h"
#include "common/size.h"
#include "encoderd/zarr/chunk/warm.h"

#include <pthread.h>
#include <stdlib.h>

/* How many chunks are asked for together. A table forgets first what was used least recently, and
 * as many chunks again may be open and not read yet. So the table keeps some more than three times
 * as many open. */
#define CHUNKS_MAX ((size_t)ABREAST_MOST)
#define TABLE_OPEN (7 * CHUNKS_MAX / 2)

struct place {
    const struct zarr_array *array;
    uint64_t index[ZARR_DIMS_MAX];
};

struct ahead {
    struct ahead_plan plan;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t reached; /* under the lock: the last range that the pass has reached */
    bool stop;        /* under the lock */

    /* The thread's own. */
    uint64_t next; /* the first range not asked for yet */
    /* of each array: the end of the chunks along the variants that were asked for */
    uint64_t end[AHEAD_ARRAYS_MAX];
    struct place places[CHUNKS_MAX]; /* to be asked for now */
    size_t nplaces, nplaces_max;
    bool waits; /* the chunks before had to be waited for */
};

/* Waits until the pass has reached that range; false if there is no more to do. */
static bool wait_for_pass(struct ahead *ahead, uint64_t range)
{
    bool stop;

    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stop && ahead->reached < range)
        pthread_cond_wait(&ahead->moved, &ahead->lock);
    stop = ahead->stop;
    pthread_mutex_unlock(&ahead->lock);
    return !stop && ahead->next < ahead->plan.nranges;
}

/* Adds a chunk with all its neighbours along the second axis, as an array of alleles may have: they
 * are read together. */
static bool add_chunk(struct ahead *ahead, const struct zarr_array *array, uint64_t chunk)
{
    const uint64_t width = array->meta.ndim > 1 ? array->meta.nchunks[1] : 1;

    if (width > ahead->nplaces_max - ahead->nplaces)
        return false;
    for (uint64_t i = 0; i < width; i++)
        ahead->places[ahead->nplaces++] = (struct place){array, {chunk, i}};
    return true;
}

static bool add_array(struct ahead *ahead, unsigned i, uint64_t begin, uint64_t end)
{
    const struct zarr_array *array = ahead->plan.arrays[i];
    const uint64_t length = array->meta.chunk[0];

    for (uint64_t chunk = size_max(begin / length, ahead->end[i]); chunk * length < end; chunk++) {
        if (!add_chunk(ahead, array, chunk))
            return false;
        ahead->end[i] = chunk + 1;
    }
    return true;
}

/* Adds the chunks of one range that were not asked for yet; false if there is no more room. */
static bool add_range(struct ahead *ahead, uint64_t range)
{
    uint64_t begin, end;

    ahead->plan.range(ahead->plan.arg, range, &begin, &end);
    for (unsigned i = 0; begin < end && i < AHEAD_ARRAYS_MAX; i++)
        if (ahead->plan.arrays[i] != NULL && !add_array(ahead, i, begin, end))
            return false;
    return true;
}

static int warm(void *arg, uint64_t i, struct err *err)
{
    const struct ahead *ahead = arg;

    (void)err;
    chunk_warm(ahead->plan.table, ahead->places[i].array, ahead->places[i].index);
    return 0;
}

/* How often the store has waited for storage so far, as far as it can tell. */
static uint64_t count_waits(const struct ahead *ahead)
{
    struct store_counts counts;

    store_counts(ahead->places[0].array->store, &counts);
    return counts.waits;
}

/* Warms the last chunk first, which the pass cannot have read yet. If that had to wait for the
 * store, the others will too, so they are warmed side by side; and so are the following ones, until
 * a whole batch takes no longer than one wait. Waiting for another thread, or for memory, does not
 * count. */
static void warm_all(struct ahead *ahead)
{
    struct abreast_moment since = abreast_now();
    struct err err = {0};
    uint64_t nwaits;

    if (ahead->nplaces == 0)
        return;
    nwaits = count_waits(ahead);
    if (!ahead->waits) {
        ahead->nplaces--;
        warm(ahead, ahead->nplaces, &err);
        ahead->waits = abreast_waited(&since) && count_waits(ahead) > nwaits;
    }
    if (ahead->nplaces == 0 || !ahead->waits)
        return;
    nwaits = count_waits(ahead);
    abreast_run_wide(ahead->nplaces, warm, ahead, &err);
    ahead->waits = abreast_waited(&since) && count_waits(ahead) > nwaits;
}

static void *run(void *arg)
{
    struct ahead *ahead = arg;
    uint64_t last = 0;

    while (wait_for_pass(ahead, last)) {
        last = ahead->next;
        ahead->nplaces = 0;
        while (ahead->next < ahead->plan.nranges && add_range(ahead, ahead->next))
            ahead->next++;
        /* The next range has more chunks side by side than there is room for: it is not read
         * ahead. */
        if (ahead->nplaces == 0)
            ahead->next++;
        warm_all(ahead);
    }
    return NULL;
}

struct ahead *ahead_begin(const struct ahead_plan *plan)
{
    struct ahead *ahead = calloc(1, sizeof *ahead);

    if (ahead == NULL)
        return NULL;
    ahead->plan = *plan;
    ahead->nplaces_max = chunk_table_keep_open(plan->table, TABLE_OPEN) * CHUNKS_MAX / TABLE_OPEN;
    if (ahead->nplaces_max > CHUNKS_MAX)
        ahead->nplaces_max = CHUNKS_MAX;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->moved, NULL);
    if (pthread_create(&ahead->thread, NULL, run, ahead) == 0)
        return ahead;
    pthread_cond_destroy(&ahead->moved);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead);
    return NULL;
}

void ahead_reached(struct ahead *ahead, uint64_t range)
{
    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->lock);
    if (range > ahead->reached) {
        ahead->reached = range;
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
    pthread_cond_signal(&ahead->moved);
    pthread_mutex_unlock(&ahead->lock);
    pthread_join(ahead->thread, NULL);
    pthread_cond_destroy(&ahead->moved);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead);
}
