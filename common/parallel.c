/* SPDX-License-Identifier: Apache-2.0 */
#include "common/parallel.h"

#include "common/cleanup.h"

#include <pthread.h>
#include <stdlib.h>

#define STACK_NBYTES ((size_t)256 << 10) /* of a detached thread */

enum slot_state { SLOT_EMPTY, SLOT_MADE, SLOT_FAILED };

/* A piece that was made but is not yet due. */
struct piece_slot {
    enum slot_state state;
    void *piece;
    struct err err;
};

struct parallel_pool {
    const struct parallel_job *job;
    pthread_mutex_t lock;
    pthread_cond_t moved; /* `due` advanced, or the job ended */
    uint64_t next;        /* to be made */
    uint64_t due;         /* to be taken */
    uint64_t limit;       /* pieces from here on are not wanted */
    bool taking;          /* some thread is in take */
    bool failed;
    struct err err;
    uint64_t window;
    struct piece_slot *slots; /* piece i is in slots[i % window] */
};

static void discard(const struct parallel_job *job, void *piece)
{
    if (job->discard != NULL)
        job->discard(job->arg, piece);
}

/* With the lock held. */
static void fail(struct parallel_pool *pool, const struct err *err)
{
    if (!pool->failed)
        pool->err = *err;
    pool->failed = true;
    pthread_cond_broadcast(&pool->moved);
}

/* Takes all pieces that are due and made, and releases the lock during each call. If another thread
 * is doing this, it goes on there, and this call returns at once. */
static void take_due(struct parallel_pool *pool)
{
    const struct parallel_job *job = pool->job;

    if (pool->taking)
        return;
    pool->taking = true;
    while (!pool->failed && pool->slots[pool->due % pool->window].state != SLOT_EMPTY) {
        struct piece_slot *slot = &pool->slots[pool->due % pool->window];
        struct err err = {0};
        int rc;

        if (slot->state == SLOT_FAILED) {
            fail(pool, &slot->err);
            break;
        }
        slot->state = SLOT_EMPTY;
        pthread_mutex_unlock(&pool->lock);
        rc = job->take(job->arg, pool->due, slot->piece, &err);
        pthread_mutex_lock(&pool->lock);
        if (rc != 0) {
            fail(pool, &err);
            break;
        }
        pool->due++;
        pthread_cond_broadcast(&pool->moved);
    }
    pool->taking = false;
}

/* With the lock held: the number of the next piece to make; false when there is none left. */
static bool next_piece(struct parallel_pool *pool, uint64_t *i)
{
    while (!pool->failed && pool->next < pool->limit && pool->next - pool->due >= pool->window)
        pthread_cond_wait(&pool->moved, &pool->lock);
    if (pool->failed || pool->next >= pool->limit)
        return false;
    *i = pool->next++;
    return true;
}

/* Call it with the lock held; the lock is released while the piece is made. */
static void make_piece(struct parallel_pool *pool, void *worker, uint64_t i)
{
    const struct parallel_job *job = pool->job;
    struct piece_slot *slot = &pool->slots[i % pool->window];
    struct err err = {0};
    void *piece = NULL;
    int rc;

    pthread_mutex_unlock(&pool->lock);
    rc = job->make(job->arg, worker, i, &piece, &err);
    pthread_mutex_lock(&pool->lock);
    slot->piece = piece;
    slot->state = rc == 0 ? SLOT_MADE : SLOT_FAILED;
    if (rc != 0) {
        slot->err = err;
        if (i < pool->limit)
            pool->limit = i;
        pthread_cond_broadcast(&pool->moved);
    }
    take_due(pool);
}

static void *run_worker(void *arg)
{
    struct parallel_pool *pool = arg;
    const struct parallel_job *job = pool->job;
    struct err err = {0};
    void *worker = NULL;
    uint64_t i;

    if (job->start != NULL && job->start(job->arg, &worker, &err) != 0) {
        pthread_mutex_lock(&pool->lock);
        fail(pool, &err);
        pthread_mutex_unlock(&pool->lock);
        return NULL;
    }
    pthread_mutex_lock(&pool->lock);
    while (next_piece(pool, &i))
        make_piece(pool, worker, i);
    pthread_mutex_unlock(&pool->lock);
    if (job->stop != NULL)
        job->stop(job->arg, worker);
    return NULL;
}

/* Runs the job on as many threads as the system allows, always including the caller's. */
static void run_threads(struct parallel_pool *pool, pthread_t *threads, unsigned nthreads)
{
    unsigned started = 0;

    while (started + 1 < nthreads && pthread_create(&threads[started], NULL, run_worker, pool) == 0)
        started++;
    run_worker(pool);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}

int parallel_run(const struct parallel_job *job, struct err *err)
{
    struct parallel_pool pool = {.job = job, .limit = job->npieces};
    unsigned nthreads = job->nthreads > 0 ? job->nthreads : 1;
    AUTO_FREE pthread_t *threads = NULL;
    AUTO_FREE struct piece_slot *slots = NULL;

    if (job->npieces == 0)
        return 0;
    if (nthreads > job->npieces)
        nthreads = (unsigned)job->npieces;
    pool.window = 2 * (uint64_t)nthreads;
    threads = calloc(nthreads, sizeof *threads);
    slots = calloc(pool.window, sizeof *slots);
    if (threads == NULL || slots == NULL)
        return err_nomem(err, "%u threads", nthreads);
    pool.slots = slots;
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.moved, NULL);
    run_threads(&pool, threads, nthreads);
    pthread_cond_destroy(&pool.moved);
    pthread_mutex_destroy(&pool.lock);
    for (uint64_t i = 0; i < pool.window; i++)
        if (slots[i].state == SLOT_MADE)
            discard(job, slots[i].piece);
    if (pool.failed && err != NULL)
        *err = pool.err;
    return pool.failed ? -1 : 0;
}

bool parallel_detach(void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;
    pthread_t thread;
    bool started;

    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_NBYTES);
    started = pthread_create(&thread, &attr, run, arg) == 0;
    pthread_attr_destroy(&attr);
    return started;
}
