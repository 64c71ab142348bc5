/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sched and arena: every byte of every lease is right whatever the number of workers, readers and
 * pages; nothing is stuck; nothing is left. Run under the thread sanitizer as well.
 */
#include "encoderd/serve/plan.h"
#include "tests/unit/sched_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_sequential(void **state)
{
    (void)state;
    for (unsigned nthreads = 1; nthreads <= 4; nthreads++) {
        struct bench bench = start(UINT64_C(8) << 20, nthreads);

        read_through(&bench, 1, 131072);
        read_through(&bench, 2, 4096);
        stop(&bench);
    }
}

static void test_a_second_reader_costs_no_decoding(void **state)
{
    struct bench bench = start(UINT64_C(32) << 20, 2);
    struct sched_stats first, second;

    (void)state;
    read_through(&bench, 1, 131072);
    sched_stats(bench.sched, &first);
    read_through(&bench, 2, 131072);
    sched_stats(bench.sched, &second);
    assert_true(first.blocks > 0);
    /* The first piece, of the size asked for, is not kept. */
    assert_in_range(second.blocks, first.blocks, first.blocks + first.blocks / 5);
    stop(&bench);
}

/* Each of 64 handles reads a few of the pieces of one run, as the kernel deals them out where all
 * of them read all of it. */
static void test_readers_of_one_run_share_it(void **state)
{
    struct bench bench = start(UINT64_C(32) << 20, 2);
    struct sched_stats alone, stats;

    (void)state;
    read_through(&bench, 1, 131072);
    sched_stats(bench.sched, &alone);
    stop(&bench);
    bench = start(UINT64_C(32) << 20, 2);
    srand(4);
    for (uint64_t at = 0; at < made.size;) {
        struct sched_answer answer;

        ask(&bench, at, 1 + (uint64_t)rand() % 64, at, 20480);
        answer = next_answer(&bench);
        check_lease(&bench, &answer, at);
        at = answer.offset + answer.length;
        assert_true(sched_return(bench.sched, answer.lease));
    }
    sched_stats(bench.sched, &stats);
    assert_in_range(stats.blocks, 1, alone.blocks * 11 / 10);
    stop(&bench);
}

/* One stored block holds 52 rows of its samples chunk: 4 KiB is 4 rows, in each of 5 chunks. */
static void test_random_reads_decode_what_they_touch(void **state)
{
    struct bench bench = start(UINT64_C(8) << 20, 2);
    struct sched_stats stats;

    (void)state;
    srand(3);
    for (uint64_t id = 0; id < 100; id++) {
        const uint64_t offset = (id * 7919 + 3) * 4099 % (made.size - 4096);
        struct sched_answer answer;

        ask(&bench, id, id, offset, 4096);
        answer = next_answer(&bench);
        check_lease(&bench, &answer, offset);
        assert_int_equal(answer.length, 4096);
        assert_true(sched_return(bench.sched, answer.lease));
    }
    sched_stats(bench.sched, &stats);
    assert_in_range(stats.blocks, 100, 100 * 5 * 2);
    assert_int_equal(stats.arena_used, 0);
    stop(&bench);
}

/* More leases asked for than fit: reads wait, and go on as leases come back. */
static void test_arena_full(void **state)
{
    struct bench bench = start(UINT64_C(1) << 20, 3);
    enum { NREADS = 64 };
    uint64_t held[NREADS];
    unsigned nheld = 0, answered = 0;

    (void)state;
    for (uint64_t id = 0; id < NREADS; id++)
        ask(&bench, id, id, id * (made.size / NREADS), 65536);
    while (answered < NREADS) {
        struct sched_answer answer;

        if (nheld == 4) {
            for (; nheld > 0; nheld--)
                assert_true(sched_return(bench.sched, held[nheld - 1]));
        }
        answer = next_answer(&bench);
        check_lease(&bench, &answer, answer.id * (made.size / NREADS));
        held[nheld++] = answer.lease;
        answered++;
    }
    for (; nheld > 0; nheld--)
        assert_true(sched_return(bench.sched, held[nheld - 1]));
    stop(&bench);
}

/* Everything leased and nothing returned: later reads are not answered, and nothing else
 * happens. */
static void test_reader_slower_than_encoder(void **state)
{
    struct bench bench = start(UINT64_C(1) << 20, 2);
    struct sched_answer held, more;
    unsigned nheld = 0;
    uint64_t leases[64];

    (void)state;
    for (uint64_t id = 0; id < 40; id++)
        ask(&bench, id, id, id * 60000, 50000);
    for (;;) {
        struct pollfd wake = {.fd = sched_wake_fd(bench.sched), .events = POLLIN};

        if (sched_answers(bench.sched, &held, 1) == 0) {
            if (poll(&wake, 1, 200) == 0)
                break;
            continue;
        }
        check_lease(&bench, &held, held.id * 60000);
        leases[nheld++] = held.lease;
        assert_in_range(nheld, 1, 39);
    }
    assert_in_range(arena_used(bench.arena), 1, arena_size(bench.arena));
    assert_true(sched_return(bench.sched, leases[--nheld]));
    more = next_answer(&bench);
    check_lease(&bench, &more, more.id * 60000);
    stop(&bench);
}

/* Handles closed in mid-stream with work queued ahead of them. */
static void test_closed_in_mid_stream(void **state)
{
    struct bench bench = start(UINT64_C(8) << 20, 2);

    (void)state;
    for (uint64_t handle = 0; handle < 50; handle++) {
        uint64_t at = handle * 30000 % made.size;

        for (int i = 0; i < 4 && at < made.size; i++) {
            struct sched_answer answer;

            ask(&bench, handle, handle, at, 131072);
            answer = next_answer(&bench);
            check_lease(&bench, &answer, at);
            at = answer.offset + answer.length;
            if (i < 3)
                assert_true(sched_return(bench.sched, answer.lease));
        }
        sched_release(bench.sched, handle);
    }
    sched_idle(bench.sched);
    stop(&bench);
}

/* Many readers at once, each lease checked, returned late and in another order. */
static void test_many_readers(void **state)
{
    struct bench bench = start(UINT64_C(4) << 20, 4);
    enum { NHANDLES = 24, NREADS = 600, WINDOW = 12 };
    uint64_t at[NHANDLES] = {0}, held[WINDOW];
    unsigned nheld = 0, asked = 0, answered = 0;

    (void)state;
    srand(4);
    while (answered < NREADS) {
        struct sched_answer answer;

        while (asked < NREADS && asked - answered < WINDOW / 2) {
            const unsigned handle = (unsigned)rand() % NHANDLES;
            const uint64_t offset =
                handle % 2 == 0 ? at[handle] : (uint64_t)rand() % (made.size - 1);

            ask(&bench, offset, handle, offset, 1 + (uint64_t)rand() % 100000);
            if (handle % 2 == 0)
                at[handle] = (at[handle] + 65536) % made.size;
            asked++;
        }
        answer = next_answer(&bench);
        check_lease(&bench, &answer, answer.id);
        answered++;
        held[nheld++] = answer.lease;
        while (nheld == WINDOW || (asked == NREADS && nheld > 0)) {
            const unsigned which = (unsigned)rand() % nheld;

            assert_true(sched_return(bench.sched, held[which]));
            held[which] = held[--nheld];
        }
    }
    while (nheld > 0)
        assert_true(sched_return(bench.sched, held[--nheld]));
    stop(&bench);
}

/* A read that had to wait for room is answered after its handle is closed, and that handle is not
 * kept for it: it would count as a reader, who takes room from others, for ever. */
static void test_handles_closed_while_their_reads_wait(void **state)
{
    struct bench bench = start(UINT64_C(1) << 20, 1);
    struct sched_answer answer;
    uint64_t leases[256], n = 0;

    (void)state;
    while (arena_used(bench.arena) < arena_size(bench.arena)) {
        ask(&bench, n, 1, n * 7919, 1);
        answer = next_answer(&bench);
        check_lease(&bench, &answer, n * 7919);
        leases[n++] = answer.lease;
    }
    for (uint64_t handle = 2; handle < 10; handle++) {
        ask(&bench, handle, handle, handle * 100000, 65536);
        sched_release(bench.sched, handle);
    }
    while (n > 0)
        assert_true(sched_return(bench.sched, leases[--n]));
    for (int i = 0; i < 8; i++) {
        answer = next_answer(&bench);
        check_lease(&bench, &answer, answer.id * 100000);
    }
    assert_int_equal(bench.sched->readers.nhandles, 1);
    stop(&bench);
}

/* True if no worker had begun the read, so that the wake-up really was lost. */
static bool lose_a_wake_up(struct bench *bench, uint64_t id)
{
    struct sched_answer answer;

    ask(bench, id, id, id * 100000, 4096);
    pthread_mutex_lock(&bench->sched->core.lock);
    bench->sched->core.nfresh = 0; /* as if it had been announced */
    pthread_mutex_unlock(&bench->sched->core.lock);
    if (sched_answers(bench->sched, &answer, 1) == 0) {
        assert_true(sched_look(bench->sched));
        answer = next_answer(bench);
        check_lease(bench, &answer, id * 100000);
        return true;
    }
    check_lease(bench, &answer, id * 100000);
    return false;
}

/* Whatever went wrong: work lies there, everybody sleeps, and nobody says so. On a busy machine a
 * worker may not have gone to sleep yet and take the read by itself: then the next one is tried. */
static void test_a_lost_wake_up_costs_a_look(void **state)
{
    struct bench bench = start(UINT64_C(8) << 20, 2);
    unsigned nlost = 0;

    (void)state;
    poll(NULL, 0, 200); /* until the workers sleep */
    assert_false(sched_look(bench.sched));
    for (uint64_t id = 1; id <= 20; id++)
        nlost += lose_a_wake_up(&bench, id);
    assert_in_range(nlost, 1, 20);
    stop(&bench);
}

static void damaged_chunk(const char *name, const char *shell)
{
    char command[16384];

    snprintf(command, sizeof command, "f='%s/call_genotype/%s'; %s", made.path, name, shell);
    assert_int_equal(system(command), 0);
}

static void damage_chunk(const char *name)
{
    damaged_chunk(name, "cp \"$f\" \"$f.keep\"; printf '\\377\\377\\377\\377' | "
                        "dd of=\"$f\" bs=1 seek=20 conv=notrunc 2>/dev/null");
}

static void mend_chunk(const char *name)
{
    damaged_chunk(name, "mv \"$f.keep\" \"$f\"");
}

/* A chunk that cannot be decoded (its table of blocks is overwritten) fails the reads that need it,
 * and no other. */
static void test_bad_chunk_fails_alone(void **state)
{
    uint64_t good = 0, bad = 0;
    struct bench bench;

    (void)state;
    damage_chunk("3.2.0");
    bench = start(UINT64_C(8) << 20, 2);
    for (uint64_t at = 0; at < made.size; at += 4096) {
        struct sched_answer answer;

        ask(&bench, at, 1, at, 4096);
        answer = next_answer(&bench);
        if (answer.failed) {
            bad++;
            assert_non_null(strstr(answer.err.msg, "call_genotype/3.2.0"));
        } else {
            good++;
            check_lease(&bench, &answer, at);
            assert_true(sched_return(bench.sched, answer.lease));
        }
    }
    assert_in_range(bad, 1, 300 * 1251 / 4096 + 2);
    assert_true(good > bad);
    stop(&bench);
    mend_chunk("3.2.0");
}

/* Bytes of two rows, the end of one and the beginning of the next, need nothing of a chunk in the
 * middle. */
static void test_bad_chunk_leaves_ends_of_rows(void **state)
{
    struct bench bench;

    (void)state;
    damage_chunk("3.2.0");
    bench = start(UINT64_C(8) << 20, 2);
    for (uint64_t row = 900; row < 1199; row++) {
        const uint64_t end = 3 + (row + 1) * 1251 + 400;

        for (uint64_t at = 3 + row * 1251 + 1000; at < end;) {
            struct sched_answer answer;

            ask(&bench, row, row, at, end - at);
            answer = next_answer(&bench);
            check_lease(&bench, &answer, at);
            at = answer.offset + answer.length;
            assert_true(sched_return(bench.sched, answer.lease));
        }
        sched_release(bench.sched, row);
    }
    stop(&bench);
    mend_chunk("3.2.0");
}

/* Whoever finds it out first, the server's own thread or a worker, or both at once. */
static void test_failures_are_told(void **state)
{
    static const char *const bad[] = {"0.0.0", "0.1.0", "0.2.0", "0.3.0", "0.4.0"};
    struct bench bench;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        damage_chunk(bad[i]);
    bench = start(UINT64_C(8) << 20, 2);
    for (uint64_t i = 0; i < 10000; i++) {
        ask(&bench, i, i, 3 + i % 200 * 1251, 900);
        assert_true(next_answer(&bench).failed);
        sched_release(bench.sched, i);
    }
    stop(&bench);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        mend_chunk(bad[i]);
}

static void test_arena(void **state)
{
    struct err err = {0};
    struct arena *arena = arena_new(100 * 4096, &err);
    uint64_t at[100];

    (void)state;
    for (int i = 0; i < 100; i++)
        at[i] = arena_alloc(arena, 1);
    assert_int_equal(arena_used(arena), 100 * 4096);
    assert_int_equal(arena_alloc(arena, 1), ARENA_NONE);
    for (int i = 0; i < 100; i += 2)
        arena_release(arena, at[i]);
    assert_int_equal(arena_alloc(arena, 4097), ARENA_NONE);
    arena_release(arena, at[1]);
    assert_int_equal(arena_alloc(arena, 3 * 4096), at[0]);
    arena_release(arena, at[0]);
    for (int i = 3; i < 100; i += 2)
        arena_release(arena, at[i]);
    assert_int_equal(arena_used(arena), 0);
    arena_trim(arena);
    assert_int_equal(arena_alloc(arena, 100 * 4096), 0);
    arena_free(arena);
}

/* A plan covers the first byte that was asked for and stays in the file, whatever the history. */
static void test_plans(void **state)
{
    (void)state;
    srand(5);
    for (int i = 0; i < 20000; i++) {
        const struct stream_layout layout = {
            .header_nbytes = (uint64_t)rand() % 64,
            .row_nbytes = 1 + (uint64_t)rand() % (i % 3 == 0 ? 5000000 : 3000),
            .nrows = 1 + (uint64_t)rand() % 100000,
            .samples_per_byte = i % 2 == 0 ? 4 : 0,
        };
        const uint64_t size = format_stream_size(&layout);
        const struct plan_limits limits = {.span_max = 131072 + (uint64_t)rand() % 2000000};
        const uint64_t offset = (uint64_t)rand() * 65537 % size;
        struct reader reader = {.next = i % 4 == 0 ? 0 : offset, .streak = (unsigned)i % 7};
        const struct extent_plan plan =
            plan_read(&reader, &layout, size, &limits, offset, 1 + (uint64_t)rand() % 1048576);

        assert_true(plan.begin <= offset && offset < plan.end && plan.end <= size);
        if (layout.samples_per_byte != 0)
            assert_true(plan.end - plan.begin <= limits.span_max);
        else if (plan.end < size)
            assert_int_equal((plan.end - layout.header_nbytes) % layout.row_nbytes, 0);
    }
}

/* Spans that overlap and end at the same row, [row + 1, row + 3) and [row, row + 3), and the one
 * that begins there: both have the rest of their block to donate to it. */
static void ask_for_overlapping(struct bench *bench, const struct stream_layout *layout,
                                uint64_t row)
{
    const uint64_t n = layout->row_nbytes, at = layout->header_nbytes + row * n;

    ask(bench, row * 3, row * 3 + 1, at + n, 2 * n);
    ask(bench, row * 3 + 1, row * 3 + 2, at, 3 * n);
    ask(bench, row * 3 + 2, row * 3 + 3, at + 3 * n, 2 * n);
}

/* A .bgen's checksums are added up from calls as they are put: each may be put just once. */
static void test_overlapping_spans_donate_once(void **state)
{
    char kept[sizeof made];
    const struct stream_layout *layout;
    struct bench bench;

    (void)state;
    make_bgen_of(kept);
    layout = &made.view->files[0].stream->layout;
    bench = start(UINT64_C(8) << 20, 1);
    for (uint64_t row = 0; row < 60; row += 6) {
        ask_for_overlapping(&bench, layout, row);
        for (int i = 0; i < 3; i++) {
            const struct sched_answer answer = next_answer(&bench);

            check_lease(&bench, &answer, answer.offset);
            assert_true(sched_return(bench.sched, answer.lease));
        }
    }
    stop(&bench);
    undo_bgen(kept);
}

/* A file's header takes no genotypes, and so no worker: when room for it comes it is there at once,
 * and nobody but the call that made it can say so. */
static void test_a_header_that_had_to_wait(void **state)
{
    char kept[sizeof made];
    const struct stream_layout *layout;
    struct sched_answer answer;
    uint64_t leases[256], n = 0;
    struct bench bench;

    (void)state;
    make_bgen_of(kept);
    layout = &made.view->files[0].stream->layout;
    bench = start(UINT64_C(1) << 20, 1);
    while (arena_used(bench.arena) + layout->header_nbytes <= arena_size(bench.arena)) {
        const uint64_t at = layout->header_nbytes + n * 7 % layout->nrows * layout->row_nbytes;

        ask(&bench, n, n, at, 1);
        answer = next_answer(&bench);
        check_lease(&bench, &answer, at);
        leases[n++] = answer.lease;
    }
    ask(&bench, n, n, 0, layout->header_nbytes);
    assert_int_equal(sched_answers(bench.sched, &answer, 1), 0);
    while (n > 0)
        assert_true(sched_return(bench.sched, leases[--n]));
    answer = next_answer(&bench);
    check_lease(&bench, &answer, 0);
    stop(&bench);
    undo_bgen(kept);
}

static void read_from(struct bench *bench, uint64_t handle, uint64_t *at)
{
    struct sched_answer answer;

    ask(bench, handle, handle, *at, 65536);
    answer = next_answer(bench);
    check_lease(bench, &answer, *at);
    *at = answer.offset + answer.length;
    assert_true(sched_return(bench->sched, answer.lease));
}

/* Work ahead of somebody who paused is left lying where it is not worth beginning yet, and the
 * workers fall asleep. Whoever then asks for some of it is served, though there is nothing new to
 * be made. (Blocks that reach over many rows, and several readers, so that spans are short.) */
static void test_work_ahead_is_begun_for_another_reader(void **state)
{
    char kept[sizeof made];
    struct err err = {0};
    struct bench bench;
    uint64_t at = 0;

    (void)state;
    memcpy(kept, &made, sizeof made);
    assert_int_equal(make_store(made.path, sizeof made.path,
                                "--samples 5003 --variants 4000 --chunk-variants 4000 "
                                "--chunk-samples 50 --blocksize 65536"),
                     0);
    made.view = open_plink(made.path, &err);
    assert_non_null(made.view);
    made.size = made.view->files[0].size;
    made.whole = encode_range(made.view, 0, made.size, &err);
    assert_non_null(made.whole);
    bench = start(UINT64_C(8) << 20, 2);
    for (uint64_t handle = 2; handle < 6; handle++) {
        uint64_t begin = handle * 700000;

        read_from(&bench, handle, &begin);
        read_from(&bench, handle, &begin);
    }
    for (int i = 0; i < 6; i++)
        read_from(&bench, 1, &at);
    poll(NULL, 0, 1500);
    for (uint64_t i = 0; i < 12; i++) {
        uint64_t begin = at + i * 100000;

        read_from(&bench, 100 + i, &begin);
    }
    stop(&bench);
    view_free(made.view);
    free(made.whole);
    remove_store(made.path);
    memcpy(&made, kept, sizeof made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_sequential),
        cmocka_unit_test(test_a_second_reader_costs_no_decoding),
        cmocka_unit_test(test_readers_of_one_run_share_it),
        cmocka_unit_test(test_random_reads_decode_what_they_touch),
        cmocka_unit_test(test_arena_full),
        cmocka_unit_test(test_reader_slower_than_encoder),
        cmocka_unit_test(test_closed_in_mid_stream),
        cmocka_unit_test(test_many_readers),
        cmocka_unit_test(test_handles_closed_while_their_reads_wait),
        cmocka_unit_test(test_a_lost_wake_up_costs_a_look),
        cmocka_unit_test(test_bad_chunk_fails_alone),
        cmocka_unit_test(test_bad_chunk_leaves_ends_of_rows),
        cmocka_unit_test(test_failures_are_told),
        cmocka_unit_test(test_overlapping_spans_donate_once),
        cmocka_unit_test(test_a_header_that_had_to_wait),
        cmocka_unit_test(test_work_ahead_is_begun_for_another_reader),
    };

    return cmocka_run_group_tests_name("sched", tests, make_fixture, free_fixture);
}
