/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched_fixture: a store with several chunks either way, all bytes of its .bed, and readers of a
 * scheduler over it.
 */
#ifndef VCZFS_TESTS_SCHED_FIXTURE_H
#define VCZFS_TESTS_SCHED_FIXTURE_H

#include "encoderd/serve/sched.h"
#include "encoderd/serve/sched_impl.h"
#include "tests/unit/view_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <poll.h>

static struct {
    char path[4096];
    struct view *view;
    uint8_t *whole;
    uint64_t size;
} made;

static inline int make_fixture(void **state)
{
    struct err err = {0};

    (void)state;
    if (make_store(made.path, sizeof made.path,
                   "--samples 5003 --variants 2000 --chunk-variants 300 --chunk-samples 1201 "
                   "--blocksize 65536 --missing 0.01") != 0)
        return -1;
    made.view = open_plink(made.path, &err);
    if (made.view == NULL)
        return -1;
    made.size = made.view->files[0].size;
    made.whole = encode_range(made.view, 0, made.size, &err);
    return made.whole == NULL ? -1 : 0;
}

static inline int free_fixture(void **state)
{
    (void)state;
    view_free(made.view);
    free(made.whole);
    remove_store(made.path);
    return 0;
}

struct bench {
    struct arena *arena;
    struct sched *sched;
};

static inline struct bench start(uint64_t arena_nbytes, unsigned nthreads)
{
    const struct sched_config config = {nthreads, (size_t)8 << 20, (size_t)4 << 20, (size_t)4 << 20,
                                        (size_t)4 << 20};
    struct err err = {0};
    struct bench bench = {.arena = arena_new(arena_nbytes, &err)};

    assert_non_null(bench.arena);
    bench.sched = sched_new(made.view, bench.arena, &config, &err);
    assert_non_null(bench.sched);
    return bench;
}

static inline void stop(struct bench *bench)
{
    sched_free(bench->sched);
    assert_int_equal(arena_used(bench->arena), 0);
    arena_free(bench->arena);
}

/* Waits for the next answer as the server does, which looks again only when it is told to. */
static inline struct sched_answer next_answer(struct bench *bench)
{
    struct sched_answer answer;

    while (sched_answers(bench->sched, &answer, 1) == 0) {
        struct pollfd wake = {.fd = sched_wake_fd(bench->sched), .events = POLLIN};

        if (poll(&wake, 1, 20000) <= 0)
            fail_msg("no answer, or nobody was told of it");
    }
    return answer;
}

static inline void check_lease(const struct bench *bench, const struct sched_answer *answer,
                               uint64_t offset)
{
    if (answer->failed)
        fail_msg("read of %llu failed: %s", (unsigned long long)offset, answer->err.msg);
    assert_in_range(offset, answer->offset, answer->offset + answer->length - 1);
    assert_true(answer->offset + answer->length <= made.size);
    assert_memory_equal(arena_at(bench->arena, answer->at), made.whole + answer->offset,
                        answer->length);
}

static inline void ask(struct bench *bench, uint64_t id, uint64_t handle, uint64_t offset,
                       uint64_t length)
{
    const struct sched_read read = {
        .id = id, .handle = handle, .offset = offset, .length = length, .file = 0};

    sched_read(bench->sched, &read);
}

static inline void read_through(struct bench *bench, uint64_t handle, uint64_t step)
{
    for (uint64_t at = 0; at < made.size;) {
        struct sched_answer answer;

        ask(bench, at, handle, at, step);
        answer = next_answer(bench);
        assert_int_equal(answer.id, at);
        check_lease(bench, &answer, at);
        at = answer.offset + answer.length;
        assert_true(sched_return(bench->sched, answer.lease));
        assert_false(sched_return(bench->sched, answer.lease));
    }
    sched_release(bench->sched, handle);
}

static inline struct view *open_bgen(const char *path)
{
    const struct pass_means means = {.nthreads = 1, .scratch_max = FIXTURE_SCRATCH};
    const struct view_options options = {
        .formats = {"bgen"}, .nformats = 1, .basename = "x", .max_alleles = 2};
    struct view *view = NULL;
    struct err err = {0};

    if (view_open(path, &options, -1, &means, NULL, &view, &err) != 0)
        fail_msg("%s", err.msg);
    return view;
}

/* The fixture as a .bgen; what it was before is in *kept. */
static inline void make_bgen_of(void *kept)
{
    struct err err = {0};

    memcpy(kept, &made, sizeof made);
    made.view = open_bgen(made.path);
    made.size = made.view->files[0].size;
    made.whole = encode_range(made.view, 0, made.size, &err);
    assert_non_null(made.whole);
}

static inline void undo_bgen(const void *kept)
{
    view_free(made.view);
    free(made.whole);
    memcpy(&made, kept, sizeof made);
}

#endif
