/* SPDX-License-Identifier: Apache-2.0 */
/* What has to wait is done side by side, what has not is not, and errors come in order. */
#include "common/abreast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define WAIT_US 2000

struct work {
    pthread_t caller;
    pthread_barrier_t barrier; /* of those that meet */
    uint64_t meet;             /* the first of them; UINT64_MAX: nobody does */
    atomic_uint called, elsewhere, disorder;
    uint64_t fails;
};

static struct work work_new(void)
{
    return (struct work){.caller = pthread_self(), .meet = UINT64_MAX, .fails = UINT64_MAX};
}

static int one(void *arg, uint64_t i, struct err *err)
{
    struct work *work = arg;

    work->called++;
    work->elsewhere += !pthread_equal(work->caller, pthread_self());
    if (i >= work->meet)
        pthread_barrier_wait(&work->barrier);
    return i >= work->fails ? err_set(err, ERR_IO, "number %d", (int)i) : 0;
}

static int in_order(void *arg, uint64_t i, struct err *err)
{
    struct work *work = arg;

    (void)err;
    work->disorder += i != work->called;
    work->called++;
    work->elsewhere += !pthread_equal(work->caller, pthread_self());
    return 0;
}

static int first_waits(void *arg, uint64_t i, struct err *err)
{
    if (i == 0)
        usleep(WAIT_US);
    return one(arg, i, err);
}

static struct timespec now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts;
}

static int64_t us_since(const struct timespec *begin)
{
    const struct timespec ts = now();

    return (ts.tv_sec - begin->tv_sec) * INT64_C(1000000) + (ts.tv_nsec - begin->tv_nsec) / 1000;
}

/* Each of those that meet returns when all of them have been called. */
static void check_meeting(uint64_t n, bool wide)
{
    struct work work = work_new();
    struct err err = {0};

    work.meet = wide ? 0 : 1;
    pthread_barrier_init(&work.barrier, NULL, (unsigned)(n - work.meet));
    assert_int_equal(abreast_run(n, false, &wide, wide ? one : first_waits, &work, &err), 0);
    assert_true(wide);
    assert_int_equal(work.called, n);
    pthread_barrier_destroy(&work.barrier);
}

static void test_side_by_side(void **state)
{
    (void)state;
    check_meeting(2, false);
    check_meeting(1 + ABREAST_MOST, false);
    check_meeting(ABREAST_MOST, true);
}

static void test_at_once(void **state)
{
    struct work work = work_new();
    struct err err = {0};
    bool waits = false, wide = true;

    (void)state;
    assert_int_equal(abreast_run(3, false, &waits, in_order, &work, &err), 0);
    assert_int_equal(work.called, 3);
    assert_int_equal(work.elsewhere, 0);
    assert_int_equal(work.disorder, 0);
    assert_int_equal(abreast_run(0, false, &waits, one, &work, &err), 0);
    assert_int_equal(abreast_run(0, false, &wide, one, &work, &err), 0);
    assert_int_equal(work.called, 3);
    assert_false(waits);
}

/* For longer than is taken for a wait where the thread sleeps. */
static int is_busy(void *arg, uint64_t i, struct err *err)
{
    const struct timespec begin = now();

    while (us_since(&begin) < WAIT_US)
        ;
    return in_order(arg, i, err);
}

static void test_work_is_no_wait(void **state)
{
    struct work work = work_new();
    struct err err = {0};
    bool waits = false;

    (void)state;
    assert_int_equal(abreast_run(5, false, &waits, is_busy, &work, &err), 0);
    assert_int_equal(work.called, 5);
    assert_int_equal(work.elsewhere, 0);
    assert_false(waits);
}

/* Nor is a thread that sleeps, if all that can be waited for is a disk. */
static void test_sleep_is_no_disk(void **state)
{
    struct work work = work_new();
    struct err err = {0};
    bool waits = false;

    (void)state;
    assert_int_equal(abreast_run(5, true, &waits, first_waits, &work, &err), 0);
    assert_int_equal(work.elsewhere, 0);
    assert_false(waits);
}

static void test_first_error_counts(void **state)
{
    (void)state;
    for (unsigned wide = 0; wide < 2; wide++)
        for (uint64_t fails = 0; fails < 40; fails += 13) {
            struct work work = work_new();
            struct err err = {0};
            bool waits = wide;
            char due[32];

            work.fails = fails;
            snprintf(due, sizeof due, "number %d", (int)fails);
            assert_int_equal(abreast_run(300, false, &waits, wide ? one : first_waits, &work, &err),
                             -1);
            assert_string_equal(err.msg, due);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_side_by_side),       cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_work_is_no_wait),    cmocka_unit_test(test_sleep_is_no_disk),
        cmocka_unit_test(test_first_error_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
