/*
 * sched_impl: what sched.c (the server's thread) and worker.c (the others) share.
 */
#ifndef VCZFS_ENCODERD_SCHED_IMPL_H
#define VCZFS_ENCODERD_SCHED_IMPL_H

#include "encoderd/plan.h"
#include "encoderd/span.h"

#include <pthread.h>

struct worker {
    struct sched *sched;
    pthread_t thread;
    bool started;
    struct encode_worker encode;
    struct decoder_stats seen; /* of its decoder's counters, already added to the scheduler's */
};

#define HANDLE_BUCKETS 64
#define LEASE_BUCKETS  256

struct handle {
    TAILQ_ENTRY(handle) link;
    uint64_t handle;
    size_t file;
    struct reader reader;
};
TAILQ_HEAD(handles, handle);

struct lease {
    TAILQ_ENTRY(lease) link;
    uint64_t id;
    struct span *span;
};
TAILQ_HEAD(leases, lease);

struct answer {
    TAILQ_ENTRY(answer) link;
    struct sched_answer answer;
};
TAILQ_HEAD(answers, answer);

struct sched {
    const struct view *view; /* borrowed */
    struct sched_config config;
    int wake_fd;

    pthread_mutex_t lock; /* covers everything below */
    pthread_cond_t work;  /* a span has cells to hand out, or stop */
    bool stop;
    struct span_table spans;
    struct sched_stats stats;

    /* The server's thread only. */
    struct handles handles[HANDLE_BUCKETS];
    struct leases leases[LEASE_BUCKETS];
    struct answers answers;
    struct pool lease_pool, answer_pool;
    struct waiters stalled; /* reads that found no room */
    uint64_t next_lease;
    uint64_t nhandles, nsequential;

    struct cache *cache;    /* owned; NULL if there is to be none */
    struct worker *workers; /* config.nthreads */
};

int workers_start(struct sched *sched, struct err *err);
void workers_stop(struct sched *sched);

#endif
