/* SPDX-License-Identifier: Apache-2.0 */
#include "common/parallel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* What a job does and what was seen of it. `live` counts pieces that exist. */
struct trial {
    uint64_t npieces;
    unsigned nthreads;
    uint64_t make_fails_at, take_fails_at; /* UINT64_MAX: never */
    bool start_fails;
    bool jitter;
    uint64_t next_take; /* only touched by take: no two at a time, so no lock */
    _Atomic uint64_t due;
    atomic_uint started, stopped, in_take;
    atomic_int live;
    atomic_bool too_far, out_of_order, together;
    pthread_t caller;
    atomic_bool other_thread;
};

static int start(void *arg, void **worker, struct err *err)
{
    struct trial *trial = arg;

    if (trial->start_fails)
        return err_set(err, ERR_MEMORY, "start failed");
    trial->started++;
    *worker = calloc(1, 16);
    return 0;
}

static void end(void *arg, void *worker)
{
    struct trial *trial = arg;

    trial->stopped++;
    free(worker);
}

static int make(void *arg, void *worker, uint64_t i, void **piece, struct err *err)
{
    struct trial *trial = arg;
    uint64_t *value;

    assert_non_null(worker);
    if (!pthread_equal(pthread_self(), trial->caller))
        trial->other_thread = true;
    if (i > trial->due + 2 * (uint64_t)trial->nthreads)
        trial->too_far = true;
    if (trial->jitter && i % 7 == 3)
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    if (i == trial->make_fails_at)
        return err_set(err, ERR_DATA, "make %llu", (unsigned long long)i);
    /* Later pieces fail too; theirs must not be the error that is reported. */
    if (trial->make_fails_at != UINT64_MAX && i > trial->make_fails_at)
        return err_set(err, ERR_IO, "make %llu", (unsigned long long)i);
    value = malloc(sizeof *value);
    *value = i;
    *piece = value;
    trial->live++;
    return 0;
}

static int take(void *arg, uint64_t i, void *piece, struct err *err)
{
    struct trial *trial = arg;

    if (atomic_fetch_add(&trial->in_take, 1) != 0)
        trial->together = true;
    if (i != trial->next_take || *(uint64_t *)piece != i)
        trial->out_of_order = true;
    trial->next_take++;
    trial->due = i + 1;
    free(piece);
    trial->live--;
    trial->in_take--;
    if (i == trial->take_fails_at)
        return err_set(err, ERR_PEER, "take %llu", (unsigned long long)i);
    return 0;
}

static void discard(void *arg, void *piece)
{
    struct trial *trial = arg;

    free(piece);
    trial->live--;
}

static int run(struct trial *trial, struct err *err)
{
    struct parallel_job job = {.npieces = trial->npieces,
                               .nthreads = trial->nthreads,
                               .start = start,
                               .stop = end,
                               .make = make,
                               .take = take,
                               .discard = discard,
                               .arg = trial};
    int rc;

    trial->caller = pthread_self();
    rc = parallel_run(&job, err);
    assert_int_equal(trial->live, 0);
    assert_int_equal(trial->started, trial->stopped);
    assert_false(trial->too_far);
    assert_false(trial->out_of_order);
    assert_false(trial->together);
    return rc;
}

static void test_all_in_order(void **state)
{
    static const unsigned threads[] = {0, 1, 2, 3, 8};
    static const uint64_t pieces[] = {0, 1, 2, 5, 1000};

    (void)state;
    for (size_t t = 0; t < 5; t++)
        for (size_t p = 0; p < 5; p++) {
            struct trial trial = {.npieces = pieces[p],
                                  .nthreads = threads[t],
                                  .make_fails_at = UINT64_MAX,
                                  .take_fails_at = UINT64_MAX,
                                  .jitter = true};
            struct err err = {0};

            if (trial.nthreads == 0)
                trial.nthreads = 1;
            assert_int_equal(run(&trial, &err), 0);
            assert_int_equal(trial.next_take, pieces[p]);
            assert_true(trial.started <= trial.nthreads);
            assert_true(pieces[p] == 0 || trial.started >= 1);
            if (trial.nthreads == 1)
                assert_false(trial.other_thread);
        }
}

static void test_first_error_in_piece_order(void **state)
{
    (void)state;
    for (unsigned nthreads = 1; nthreads <= 6; nthreads++)
        for (uint64_t at = 0; at < 60; at += 7) {
            struct trial trial = {.npieces = 60,
                                  .nthreads = nthreads,
                                  .make_fails_at = at,
                                  .take_fails_at = UINT64_MAX,
                                  .jitter = true};
            char expected[32];
            struct err err = {0};

            snprintf(expected, sizeof expected, "make %llu", (unsigned long long)at);
            assert_int_equal(run(&trial, &err), -1);
            assert_int_equal(err.code, ERR_DATA);
            assert_string_equal(err.msg, expected);
            assert_int_equal(trial.next_take, at);
        }
}

static void test_take_error_ends_the_job(void **state)
{
    (void)state;
    for (unsigned nthreads = 1; nthreads <= 6; nthreads++) {
        struct trial trial = {.npieces = 100000,
                              .nthreads = nthreads,
                              .make_fails_at = UINT64_MAX,
                              .take_fails_at = 41};
        struct err err = {0};

        assert_int_equal(run(&trial, &err), -1);
        assert_int_equal(err.code, ERR_PEER);
        assert_int_equal(trial.next_take, 42);
    }
}

static void test_start_error(void **state)
{
    struct trial trial = {.npieces = 10,
                          .nthreads = 3,
                          .make_fails_at = UINT64_MAX,
                          .take_fails_at = UINT64_MAX,
                          .start_fails = true};
    struct err err = {0};

    (void)state;
    assert_int_equal(run(&trial, &err), -1);
    assert_int_equal(err.code, ERR_MEMORY);
    assert_int_equal(trial.next_take, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_in_order),
        cmocka_unit_test(test_first_error_in_piece_order),
        cmocka_unit_test(test_take_error_ends_the_job),
        cmocka_unit_test(test_start_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
