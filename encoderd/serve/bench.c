/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/bench.h"

#include "common/log.h"
#include "common/size.h"
#include "encoderd/format/formats.h"
#include "encoderd/serve/budget.h"
#include "encoderd/serve/sched.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct cost {
    double wall, user, system; /* seconds */
    long waits, preemptions;   /* context switches */
};

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static struct cost cost_now(void)
{
    struct rusage usage = {0};
    struct timespec now;

    getrusage(RUSAGE_SELF, &usage);
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct cost){
        .wall = (double)now.tv_sec + (double)now.tv_nsec * 1e-9,
        .user = seconds(usage.ru_utime),
        .system = seconds(usage.ru_stime),
        .waits = usage.ru_nvcsw,
        .preemptions = usage.ru_nivcsw,
    };
}

/* The answer to the only read in progress. */
static int wait_for_answer(struct sched *sched, struct sched_answer *answer, struct err *err)
{
    struct pollfd ready = {.fd = sched_wake_fd(sched), .events = POLLIN};

    while (sched_answers(sched, answer, 1) == 0)
        if (poll(&ready, 1, -1) < 0 && errno != EINTR)
            return err_sys(err, ERR_SYSTEM, errno, "cannot wait for the workers");
    if (!answer->failed)
        return 0;
    *err = answer->err;
    return -1;
}

/* Reads bytes [0, end) of the file as a single reader would, each read answered in full. */
static int read_all(struct sched *sched, size_t file, uint64_t end, struct err *err)
{
    struct sched_answer answer;
    uint64_t at = 0;

    for (uint64_t id = 1; at < end; id++) {
        const struct sched_read read = {
            .id = id, .handle = 1, .offset = at, .length = end - at, .file = file};

        sched_read(sched, &read);
        if (wait_for_answer(sched, &answer, err) != 0)
            return -1;
        at = answer.offset + answer.length;
        sched_return(sched, answer.lease);
    }
    return 0;
}

static void print_cost(const char *name, uint64_t bytes, const struct cost *from,
                       const struct cost *to, const struct sched_stats *stats)
{
    printf("{\"file\": \"%s\", \"bytes\": %" PRIu64 ", \"seconds\": %.6f, \"user\": %.6f, "
           "\"system\": %.6f, \"waits\": %ld, \"preemptions\": %ld, \"spans\": %" PRIu64
           ", \"blocks\": %" PRIu64 ", \"bytes_decoded\": %" PRIu64 "}\n",
           name, bytes, to->wall - from->wall, to->user - from->user, to->system - from->system,
           to->waits - from->waits, to->preemptions - from->preemptions, stats->spans,
           stats->blocks, stats->bytes_decoded);
}

static int run(const struct view *view, size_t file, uint64_t bytes_max,
               const struct budget *budget, struct err *err)
{
    const struct sched_config config = {budget->nthreads, budget->scratch, budget->cache,
                                        budget->kept, budget->fetch};
    const uint64_t end = size_min(bytes_max, view->files[file].size);
    struct arena *arena = arena_new(budget->arena, err);
    struct sched *sched = arena == NULL ? NULL : sched_new(view, arena, &config, err);
    const struct cost before = cost_now();
    struct sched_stats stats;
    struct cost after;
    int result = -1;

    if (sched != NULL && (result = read_all(sched, file, end, err)) == 0) {
        after = cost_now();
        sched_stats(sched, &stats);
        print_cost(view->files[file].name, end, &before, &after, &stats);
    }
    sched_free(sched);
    arena_free(arena);
    return result;
}

static size_t find_stream(const struct view *view)
{
    size_t file = 0;

    while (file < view->nfiles && view->files[file].kind != FILE_STREAM)
        file++;
    return file;
}

static int open_and_run(const char *format, const char *store, uint64_t bytes_max,
                        const struct server_config *config, struct err *err)
{
    const struct budget budget = budget_of(config->memory, config->nthreads);
    const struct pass_means means = {.nthreads = budget.nthreads, .scratch_max = budget.scratch};
    const struct view_options options = {
        .formats = {format}, .nformats = 1, .basename = "bench", .max_alleles = 2};
    struct view *view = NULL;
    int result = -1;

    if (view_open(store, &options, -1, &means, NULL, &view, err) != 0)
        return -1;
    if (store_set_budget(view->vcz->store, budget.zip, err) == 0)
        result = run(view, find_stream(view), bytes_max, &budget, err);
    view_free(view);
    return result;
}

/* Finds the format whose stream's name ends in it. */
static const char *format_of(const char *suffix)
{
    const struct format *format;

    for (size_t i = 0; (format = format_at(i)) != NULL; i++)
        if (strcmp(format->declared->suffixes[0], suffix) == 0)
            return format->declared->name;
    return suffix;
}

int bench_run(const char *file, const char *store, uint64_t bytes_max,
              const struct server_config *config)
{
    const char *format = format_of(file);
    struct err err = {0};

    if (open_and_run(format, store, bytes_max, config, &err) == 0)
        return 0;
    log_error("%s", err.msg);
    return 1;
}
