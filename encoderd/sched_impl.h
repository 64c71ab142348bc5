/*
 * sched_impl: what sched.c (the server's thread) and worker.c (the others) share.
 */
#ifndef VCZFS_ENCODERD_SCHED_IMPL_H
#define VCZFS_ENCODERD_SCHED_IMPL_H

#include "encoderd/phase_cache.h"
#include "encoderd/plan.h"
#include "encoderd/span.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct worker {
    struct sched *sched;
    pthread_t thread;
    bool started;
    struct encode_worker encode;
    bool small;                /* the last cell was a random reader's */
    struct decoder_stats seen; /* of its decoder's counters, already added to the scheduler's */

    /* Under the scheduler's lock. */
    bool busy;               /* with `cell` */
    bool stuck;              /* for a second or more, without computing: it waits for a disk */
    bool gone;               /* a spare that is not needed any more; to be joined */
    struct encode_cell cell; /* while busy */
    uint64_t ncells;         /* begun so far */
    uint64_t ncells_then;    /* at the last look, */
    struct timespec cpu_then;
};

/* Small reads made by the server's own thread: see quick.c. */
struct quick {
    struct encode_worker encode;
    struct decoder_stats seen;
    unsigned skip;    /* so many chances are not taken */
    unsigned penalty; /* what skip becomes when the next one fails */
};

/* Threads beyond config.nthreads, for when those wait for a disk: a file that cannot be read must not hold
 * up readers of the others. Each chunk that hangs takes one. */
#define SPARES_MAX 8

#define HANDLE_BUCKETS 64
#define LEASE_BUCKETS  256

struct handle {
    TAILQ_ENTRY(handle) link;
    uint64_t handle;
    size_t file;
    struct reader reader;
};
TAILQ_HEAD(handles, handle);

/* Where some reader of a file has got to. */
struct run {
    size_t file;
    struct reader reader;
};

#define RUNS_MAX 16

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
    uint64_t served
        [2]; /* us of workers' time for random readers, half that for sequential ones: see next_span */
    atomic_uint nannounced; /* times that spans came that workers should see to */
    atomic_bool woken;      /* wake_fd is readable, or about to be */

    /* The server's thread only. */
    struct handles handles[HANDLE_BUCKETS];
    struct leases leases[LEASE_BUCKETS];
    struct answers answers;
    struct pool lease_pool, answer_pool;
    struct waiters stalled; /* reads that found no room */
    uint64_t next_lease;
    uint64_t nhandles, nsequential;
    struct run runs[RUNS_MAX]; /* the latest, in a ring: see find_run */
    unsigned next_run;
    uint64_t block_rows; /* rows that a block was last seen to reach over; under the lock */
    uint64_t nfresh;     /* cells that nobody has been woken for */
    struct quick quick;

    struct cache *cache;        /* owned; NULL if there is to be none */
    struct phase_cache *phases; /* owned */
    struct chunk_table *chunks; /* owned */
    struct block_cache *kept;   /* owned; NULL if there is to be none */
    struct worker *workers;     /* config.nthreads, then SPARES_MAX */
    unsigned nstuck;
};

/* All under the lock, on the server's thread. */
int quick_init(struct sched *sched, struct err *err);
void quick_clear(struct sched *sched);
void quick_trim(struct sched *sched);

/* If all there is to do is one small span, makes it, with the help of workers where it has several cells,
 * dropping the lock meanwhile; false if there was more to do or it turned out to take long, and the workers
 * have to. */
bool quick_try(struct sched *sched);

/* What the decoder of a thread has done since it was last asked. */
void add_decoder_stats(struct sched *sched, const struct decoder *decoder,
                       struct decoder_stats *seen);

/* The span whose cells are handed out next, or NULL. Under the lock. */
struct span *next_span(struct sched *sched);

/* A cell of a span that has some; its number is to be kept for finish_part or cell_again. */
struct encode_cell take_cell(struct sched *sched, struct span *span, uint64_t *number);

/* One cell or donation of the span is over; true if it was the last, which the server should hear once the
 * lock is dropped. Under the lock. */
bool finish_part(struct sched *sched, struct span *span, const struct err *failed);

int workers_start(struct sched *sched, struct err *err);
void workers_stop(struct sched *sched);

/* A look at each, to be taken every second or so: if all of them wait for a disk while there is other
 * work, another one is started. True if any is busy. */
bool workers_look(struct sched *sched);

#endif
