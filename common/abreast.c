/* SPDX-License-Identifier: Apache-2.0 */
#include "common/abreast.h"

#include "common/parallel.h"

#include <sys/resource.h>
#include <time.h>

/* A piece that takes longer than this is taken to have waited. Opening and reading a small file
 * that the system has in memory takes less, even on a busy machine; an answer of a server that is
 * slow enough to be worth a thread takes more. */
#define AT_ONCE_NS INT64_C(300000)

struct rest {
    uint64_t begin;
    int (*one)(void *arg, uint64_t i, struct err *err);
    void *arg;
};

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* How often this thread gave up the processor because it had to wait, where preemption does not
 * count; or, with `disk`, how many blocks it has read from one. */
static long count_waits(bool disk)
{
    struct rusage used = {0};

    getrusage(RUSAGE_THREAD, &used);
    return disk ? used.ru_inblock : used.ru_nvcsw;
}

struct abreast_moment abreast_now(bool disk)
{
    return (struct abreast_moment){now_ns(), disk, count_waits(disk)};
}

bool abreast_waited(struct abreast_moment *since)
{
    const int64_t begin = since->ns;
    const long nwaits = since->nwaits;

    since->ns = now_ns();
    if (since->ns - begin <= AT_ONCE_NS) /* no system call */
        return false;
    since->nwaits = count_waits(since->disk);
    return since->nwaits > nwaits;
}

static int make(void *arg, void *worker, uint64_t i, void **piece, struct err *err)
{
    const struct rest *rest = arg;

    (void)worker;
    *piece = NULL;
    return rest->one(rest->arg, rest->begin + i, err);
}

static int take(void *arg, uint64_t i, void *piece, struct err *err)
{
    (void)arg;
    (void)i;
    (void)piece;
    (void)err;
    return 0;
}

static int run_rest(struct rest *rest, uint64_t n, struct err *err)
{
    const struct parallel_job job = {
        .npieces = n, .nthreads = ABREAST_MOST, .make = make, .take = take, .arg = rest};

    return parallel_run(&job, err);
}

int abreast_run(uint64_t n, bool disk, bool *waits,
                int (*one)(void *arg, uint64_t i, struct err *err), void *arg, struct err *err)
{
    struct abreast_moment since = abreast_now(disk);
    struct rest rest = {0, one, arg};

    for (; rest.begin < n && !*waits; rest.begin++) {
        if (one(arg, rest.begin, err) != 0)
            return -1;
        *waits = abreast_waited(&since);
    }
    return run_rest(&rest, n - rest.begin, err);
}
