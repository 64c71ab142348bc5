/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched over a store that makes cells wait: they are woken late, in any order, from another thread,
 * or never; there is no room for what they want; they fail; or they have to be run by a thread that
 * may wait. Every byte is right all the same, nothing is stuck, nothing that was asked for is
 * forgotten. Run under the thread sanitizer as well.
 *
 * What encode_need says is made up here (the linker puts these functions in its place).
 */
#include "encoderd/serve/ahead.h"
#include "tests/unit/sched_fixture.h"

#include <unistd.h>

#define ASKED_MAX 8192

enum answer_kind {
    SAY_THERE,
    SAY_WAITS, /* and wake, in any order */
    SAY_NEVER, /* wait for ever */
    SAY_FULL,  /* unless somebody waits for it, or few are held: and then wait */
    SAY_SLOW,
    SAY_ANY, /* one of these but SAY_NEVER */
};

struct asked {
    struct cell_need *need; /* NULL: not in use */
    bool waits;             /* to be woken */
    bool there;             /* was woken, or need not be */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum answer_kind kind;
    uint64_t
        stuck_vchunk;    /* cells of this one wait for ever, whatever the kind; UINT64_MAX: none */
    uint64_t bad_vchunk; /* fail */
    struct asked asked[ASKED_MAX];
    unsigned nheld, nwaiting, nfar, nfull, nslow;
    struct cell_need *waking;
    bool held, stop; /* the waker rests; goes */
    pthread_t waker;
    unsigned seed;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

enum need __wrap_encode_need(const struct format_view *format, const struct encode_target *target,
                             const struct encode_cell *cell, struct encode_worker *worker,
                             struct cell_need *need, struct err *err);
void __wrap_cell_need_clear(struct cell_need *need);

static struct asked *find_asked(const struct cell_need *need)
{
    for (unsigned i = 0; i < ASKED_MAX; i++)
        if (fake.asked[i].need == need)
            return &fake.asked[i];
    return NULL;
}

static enum answer_kind kind_of(const struct encode_cell *cell)
{
    static const enum answer_kind any[] = {SAY_THERE, SAY_WAITS, SAY_WAITS, SAY_FULL, SAY_SLOW};

    if (cell->kind != CELL_END && cell->vchunk == fake.stuck_vchunk)
        return SAY_NEVER;
    return fake.kind == SAY_ANY ? any[(unsigned)rand_r(&fake.seed) % 5] : fake.kind;
}

/* Under the lock. */
static enum need wait_for(struct asked *asked, struct cell_need *need, bool forever)
{
    asked->need = need;
    asked->waits = !forever;
    fake.nheld++;
    fake.nwaiting++;
    pthread_cond_broadcast(&fake.changed);
    return NEED_WAITS;
}

static enum need first_answer(const struct encode_cell *cell, struct cell_need *need)
{
    struct asked *asked = find_asked(NULL);

    assert_non_null(asked);
    switch (kind_of(cell)) {
    case SAY_WAITS:
        return wait_for(asked, need, false);
    case SAY_NEVER:
        return wait_for(asked, need, true);
    case SAY_FULL:
        if (need->demand || fake.nheld < 8)
            return wait_for(asked, need, false);
        fake.nfull++;
        return NEED_FULL;
    case SAY_SLOW:
        fake.nslow++;
        return NEED_SLOW;
    default:
        return NEED_THERE;
    }
}

enum need __wrap_encode_need(const struct format_view *format, const struct encode_target *target,
                             const struct encode_cell *cell, struct encode_worker *worker,
                             struct cell_need *need, struct err *err)
{
    struct asked *asked;
    enum need result;

    (void)format;
    (void)worker;
    assert_non_null(need->wake);
    need->nblocks = 1;
    need->nbytes = 65536;
    pthread_mutex_lock(&fake.lock);
    fake.nfar += target->out == NULL;
    asked = find_asked(need);
    if (cell->kind != CELL_END && cell->vchunk == fake.bad_vchunk) {
        err_set(err, ERR_CORRUPT, "a chunk that is made up to be bad");
        result = NEED_FAILED;
    } else if (asked == NULL) {
        result = first_answer(cell, need);
    } else {
        assert_true(asked->there); /* nobody asks again who was not woken */
        result = NEED_THERE;
    }
    pthread_mutex_unlock(&fake.lock);
    return result;
}

void __wrap_cell_need_clear(struct cell_need *need)
{
    struct asked *asked;

    pthread_mutex_lock(&fake.lock);
    asked = find_asked(need);
    if (asked != NULL) {
        fake.nheld--;
        fake.nwaiting -= !asked->there;
        *asked = (struct asked){0};
    }
    while (fake.waking == need)
        pthread_cond_wait(&fake.changed, &fake.lock);
    pthread_mutex_unlock(&fake.lock);
}

/* Any of those that are to be woken, or NULL. */
static struct asked *any_waiting(void)
{
    const unsigned first = (unsigned)rand_r(&fake.seed) % ASKED_MAX;

    for (unsigned i = 0; i < ASKED_MAX; i++) {
        struct asked *asked = &fake.asked[(first + i) % ASKED_MAX];

        if (asked->need != NULL && asked->waits)
            return asked;
    }
    return NULL;
}

static void *wake_all(void *arg)
{
    struct asked *asked;

    pthread_mutex_lock(&fake.lock);
    while (!fake.stop) {
        asked = fake.held ? NULL : any_waiting();
        if (asked == NULL) {
            pthread_cond_wait(&fake.changed, &fake.lock);
            continue;
        }
        fake.waking = asked->need;
        fake.nwaiting--;
        asked->waits = false;
        asked->there = true;
        pthread_mutex_unlock(&fake.lock);
        if (fake.waking->order % 3 == 0)
            usleep(300);
        fake.waking->wake(fake.waking);
        pthread_mutex_lock(&fake.lock);
        fake.waking = NULL;
        pthread_cond_broadcast(&fake.changed);
    }
    pthread_mutex_unlock(&fake.lock);
    return arg;
}

static struct bench start_fake(enum answer_kind kind, uint64_t arena_nbytes, unsigned nthreads)
{
    fake.kind = kind;
    fake.stuck_vchunk = fake.bad_vchunk = UINT64_MAX;
    fake.nfar = fake.nfull = fake.nslow = 0;
    fake.seed = 11;
    fake.stop = fake.held = false;
    assert_int_equal(pthread_create(&fake.waker, NULL, wake_all, NULL), 0);
    return start(arena_nbytes, nthreads);
}

static void stop_fake(struct bench *bench)
{
    stop(bench);
    assert_int_equal(fake.nheld, 0);
    assert_int_equal(fake.nwaiting, 0);
    pthread_mutex_lock(&fake.lock);
    fake.stop = true;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.lock);
    pthread_join(fake.waker, NULL);
}

static void hold_waker(bool held)
{
    pthread_mutex_lock(&fake.lock);
    fake.held = held;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.lock);
}

static void read_randomly(struct bench *bench, unsigned n)
{
    struct sched_answer answer;

    for (uint64_t id = 0; id < n; id++)
        ask(bench, id, id, (id * 7919 + 3) * 4099 % (made.size - 4096), 4096);
    for (uint64_t i = 0; i < n; i++) {
        answer = next_answer(bench);
        check_lease(bench, &answer, (answer.id * 7919 + 3) * 4099 % (made.size - 4096));
        assert_true(sched_return(bench->sched, answer.lease));
    }
    for (uint64_t id = 0; id < n; id++)
        sched_release(bench->sched, id);
}

static void read_all_ways(enum answer_kind kind, unsigned nthreads)
{
    struct bench bench = start_fake(kind, UINT64_C(8) << 20, nthreads);

    read_through(&bench, 1000, 131072);
    read_randomly(&bench, 60);
    read_through(&bench, 1001, 20000);
    sched_idle(bench.sched);
    stop_fake(&bench);
}

static void test_every_way_to_wait(void **state)
{
    (void)state;
    for (unsigned nthreads = 1; nthreads <= 3; nthreads += 2) {
        read_all_ways(SAY_WAITS, nthreads);
        read_all_ways(SAY_FULL, nthreads);
        assert_true(fake.nfull > 0);
        read_all_ways(SAY_SLOW, nthreads);
        assert_true(fake.nslow > 0);
        read_all_ways(SAY_ANY, nthreads);
    }
}

/* The same of a .bgen, whose rows are finished at the end, by a cell that may have to wait, too. */
static void test_every_way_to_wait_for_rows(void **state)
{
    char kept[sizeof made];

    (void)state;
    make_bgen_of(kept);
    read_all_ways(SAY_THERE, 2);
    read_all_ways(SAY_WAITS, 2);
    read_all_ways(SAY_ANY, 2);
    undo_bgen(kept);
}

static void test_nothing_is_far_where_bytes_are_there(void **state)
{
    struct bench bench = start_fake(SAY_THERE, UINT64_C(8) << 20, 2);

    (void)state;
    read_through(&bench, 1, 131072);
    assert_int_equal(fake.nfar, 0);
    stop_fake(&bench);
}

/* A span of the .bed that a reader comes to: with a cell that waits, or all made long ago. */
static void come_to(const struct sched_core *core, struct handle *handle, uint64_t length,
                    bool waits)
{
    struct cell cell = {.number = 0};
    struct span span = {.ncells = 1, .pending = waits, .target = {0, length, NULL, NULL}};

    for (int i = 0; i < CELL_NLISTS; i++)
        TAILQ_INIT(&span.cells[i]);
    if (waits)
        TAILQ_INSERT_TAIL(&span.cells[CELL_WAITS], &cell, link);
    ahead_learn(core, handle, &span);
}

/* A reader waits where a row of chunks begins, and not in it: what is learned there holds for the
 * next one, however many spans come in between that never waited; and not for ever. */
static void test_distance_holds_for_the_next_chunks(void **state)
{
    struct bench bench = start_fake(SAY_THERE, UINT64_C(8) << 20, 1);
    const struct sched_core *core = &bench.sched->core;
    const uint64_t around =
        made.view->vcz->genotype->meta.chunk[0] * made.view->files[0].stream->layout.row_nbytes;
    struct handle handle = {.reader = {.streak = 3}};
    uint64_t found, n;

    (void)state;
    come_to(core, &handle, around / 8, true);
    found = handle.far;
    assert_true(found > PLAN_SPAN_MAX);
    for (n = 0; n < 8; n++)
        come_to(core, &handle, around / 8, false);
    assert_true(handle.far >= found / 2);
    for (; handle.far > 0 && n < 100000; n++)
        come_to(core, &handle, around / 8, false);
    assert_int_equal(handle.far, 0);
    stop_fake(&bench);
}

/* Does a cell of the span that byte `at` is of wait for the store? */
static bool waits_at(struct bench *bench, uint64_t at)
{
    struct sched_core *core = &bench->sched->core;
    const struct span *span;
    bool waits;

    core_lock(core);
    span = span_covering(&core->spans, 0, at);
    waits = span != NULL && !TAILQ_EMPTY(&span->cells[CELL_WAITS]);
    core_unlock(core);
    return waits;
}

/* Until the read of `at` is answered, or waits for the store; true if it is answered. */
static bool answer_or_wait(struct bench *bench, uint64_t at, struct sched_answer *answer)
{
    while (!waits_at(bench, at)) {
        if (sched_answers(bench->sched, answer, 1) > 0)
            return true;
        usleep(1000);
    }
    return false;
}

static uint64_t take_lease(struct bench *bench, const struct sched_answer *answer)
{
    check_lease(bench, answer, answer->id);
    assert_true(sched_return(bench->sched, answer->lease));
    return answer->offset + answer->length;
}

/* Asks twice for the same, while nothing comes from the store; then all comes. */
static uint64_t read_late(struct bench *bench, uint64_t at)
{
    struct sched_answer answer;
    unsigned due = 0;
    uint64_t end = at;

    hold_waker(true);
    for (int i = 0; i < 2; i++) {
        ask(bench, at, 1, at, 65536);
        due++;
        if (answer_or_wait(bench, at, &answer)) {
            end = take_lease(bench, &answer);
            due--;
        }
    }
    hold_waker(false);
    for (; due > 0; due--) {
        answer = next_answer(bench);
        end = take_lease(bench, &answer);
    }
    return end;
}

/* What the store is asked for ahead has no part of the arena; and it is forgotten when the reader
 * goes. */
static void test_far_ahead_where_they_are_not(void **state)
{
    struct bench bench = start_fake(SAY_WAITS, UINT64_C(1) << 20, 2);
    bool waits = true;

    (void)state;
    for (uint64_t at = 0; at < made.size / 2;)
        at = read_late(&bench, at);
    pthread_mutex_lock(&fake.lock);
    assert_true(fake.nfar > 0);
    pthread_mutex_unlock(&fake.lock);
    hold_waker(false);
    sched_release(bench.sched, 1);
    while (waits) {
        core_lock(&bench.sched->core);
        waits = bench.sched->core.spans.nfar > 0;
        core_unlock(&bench.sched->core);
        usleep(1000);
    }
    stop_fake(&bench);
}

/* A disk that hangs: nobody who needs nothing of it waits for it, though there is one worker and 64
 * readers who do; and all ends at once when the scheduler does. */
static void test_what_never_comes_holds_nobody(void **state)
{
    struct bench bench = start_fake(SAY_THERE, UINT64_C(8) << 20, 1);
    const uint64_t row = 1251, stuck = 3 + 2 * 300 * row;
    struct sched_answer answer;

    (void)state;
    fake.stuck_vchunk = 2;
    for (uint64_t id = 0; id < 64; id++)
        ask(&bench, 1000 + id, 1000 + id, stuck + id * 4 * row, 4096);
    for (uint64_t id = 0; id < 100; id++) {
        const uint64_t offset = id * 4096;

        ask(&bench, id, id, offset, 4096);
        answer = next_answer(&bench);
        assert_int_equal(answer.id, id);
        check_lease(&bench, &answer, offset);
        assert_true(sched_return(bench.sched, answer.lease));
    }
    for (uint64_t id = 0; id < 32; id++)
        sched_release(bench.sched, 1000 + id);
    assert_true(sched_look(bench.sched));
    assert_int_equal(sched_answers(bench.sched, &answer, 1), 0);
    stop_fake(&bench);
}

/* Cells that fail fail those reads that need them, while others of the same spans wait. */
static void test_failures_among_what_waits(void **state)
{
    struct bench bench = start_fake(SAY_WAITS, UINT64_C(8) << 20, 2);
    const uint64_t row = 1251, begin = 3 + 2 * 300 * row, end = begin + 300 * row;
    uint64_t bad = 0;

    (void)state;
    fake.bad_vchunk = 2;
    for (uint64_t at = 0; at < made.size; at += 4096) {
        const uint64_t n = made.size - at < 4096 ? made.size - at : 4096;
        struct sched_answer answer;

        ask(&bench, at, 1, at, n);
        answer = next_answer(&bench);
        if (answer.failed) {
            bad++;
            assert_true(at + n > begin && at < end);
            continue;
        }
        check_lease(&bench, &answer, at);
        assert_true(answer.offset + answer.length <= begin || answer.offset >= end);
        assert_true(sched_return(bench.sched, answer.lease));
    }
    assert_in_range(bad, (end - begin) / 4096 - 1, (end - begin) / 4096 + 1);
    stop_fake(&bench);
}

/* Readers come and go while cells wait, and leases are held. */
static void test_comings_and_goings(void **state)
{
    struct bench bench = start_fake(SAY_ANY, UINT64_C(2) << 20, 3);
    uint64_t at[8] = {0};
    struct sched_answer answer;

    (void)state;
    srand(9);
    for (unsigned i = 0; i < 400; i++) {
        const unsigned reader = (unsigned)rand() % 8;
        const uint64_t offset = reader < 4 ? at[reader] : (uint64_t)rand() % (made.size - 1);

        ask(&bench, offset, reader, offset, 1 + (uint64_t)rand() % 100000);
        if (i % 7 == 0)
            sched_release(bench.sched, (uint64_t)rand() % 8);
        answer = next_answer(&bench);
        check_lease(&bench, &answer, answer.id);
        if (reader < 4)
            at[reader] = (answer.offset + answer.length) % made.size;
        assert_true(sched_return(bench.sched, answer.lease));
        if (i % 50 == 0)
            sched_idle(bench.sched);
    }
    stop_fake(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_way_to_wait),
        cmocka_unit_test(test_every_way_to_wait_for_rows),
        cmocka_unit_test(test_nothing_is_far_where_bytes_are_there),
        cmocka_unit_test(test_distance_holds_for_the_next_chunks),
        cmocka_unit_test(test_far_ahead_where_they_are_not),
        cmocka_unit_test(test_what_never_comes_holds_nobody),
        cmocka_unit_test(test_failures_among_what_waits),
        cmocka_unit_test(test_comings_and_goings),
    };

    return cmocka_run_group_tests_name("sched_waits", tests, make_fixture, free_fixture);
}
