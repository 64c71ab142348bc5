/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/encoder/suspects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEAST 60000

static const struct question first = {.read = {.file = 0, .handle = 1, .offset = 10, .length = 5}};
static const struct question second = {.read = {.file = 0, .handle = 2, .offset = 90, .length = 5}};

static void a_probe_is_due_where_somebody_waits(void **state)
{
    struct suspects *suspects = calloc(1, sizeof *suspects);
    struct suspect *suspect = suspects_add(suspects, "x/0");

    (void)state;
    assert_ptr_equal(suspects_add(suspects, "x/0"), suspect);
    assert_ptr_equal(suspects_find(suspects, "x/0"), suspect);
    assert_null(suspects_find(suspects, "x/1"));
    assert_null(suspects_find(suspects, ""));
    assert_null(suspects_next(suspects, 0));
    suspect_ask(suspect, &first);
    suspect_ask(suspect, &second);
    suspect_ask(suspect, &first);
    assert_int_equal(suspect->nquestions, 2);
    assert_ptr_equal(suspects_next(suspects, 0), suspect);
    suspect_answered(suspect);
    assert_int_equal(suspect->questions[0].read.offset, 90);
    for (uint64_t i = 0; i < 2 * QUESTIONS_MAX; i++)
        suspect_ask(suspect, &(struct question){.fetch = true, .read = {.file = i}});
    assert_int_equal(suspect->nquestions, QUESTIONS_MAX);
    assert_true(suspects_knew(suspects, "x/0"));
    suspects_clear(suspects, suspect);
    assert_null(suspects_find(suspects, "x/0"));
    assert_true(suspects_knew(suspects, "x/0"));
    assert_false(suspects_knew(suspects, "x/1"));
    assert_false(suspects_knew(suspects, ""));
    assert_null(suspects_next(suspects, 0));
    free(suspects);
}

static void a_sentence_ends_and_the_next_is_longer(void **state)
{
    struct suspects *suspects = calloc(1, sizeof *suspects);
    struct suspect *suspect = suspects_add(suspects, "x/0");
    uint64_t now = 1000, due = LEAST;

    (void)state;
    suspect_ask(suspect, &first);
    suspect_ask(suspect, &second);
    for (int i = 0; i < 12; i++) {
        suspect_condemn(suspect, now, LEAST);
        assert_true(suspect_is_condemned(suspect, now + due - 1));
        assert_false(suspect_is_condemned(suspect, now + due));
        now += due;
        assert_null(suspects_next(suspects, now)); /* nobody wants it */
        assert_int_equal(suspect->nquestions, 1);
        suspect_ask(suspect, &second);
        assert_int_equal(suspect->questions[0].read.offset, 10); /* what it killed at comes first */
        assert_ptr_equal(suspects_next(suspects, now), suspect);
        due = due * 2 > CONDEMNED_MAX_MS ? CONDEMNED_MAX_MS : due * 2;
    }
    free(suspects);
}

static void all_but_the_one_on_probe_are_held(void **state)
{
    struct suspects *suspects = calloc(1, sizeof *suspects);
    struct msg_hold hold = {.nchunks = 9};
    char name[16];

    (void)state;
    suspects_hold(suspects, NULL, &hold);
    assert_int_equal(hold.nchunks, 0);
    for (int i = 0; i < SUSPECTS_MAX; i++) {
        snprintf(name, sizeof name, "x/%d", i);
        suspect_condemn(suspects_add(suspects, name), (uint64_t)i, LEAST);
    }
    suspects_hold(suspects, suspects_find(suspects, "x/0"), &hold);
    assert_int_equal(hold.nchunks, SUSPECTS_MAX - 1);
    assert_string_equal(hold.chunks[0], "x/1");
    suspects_add(suspects, "one more"); /* in place of the one whose time is over first */
    assert_null(suspects_find(suspects, "x/0"));
    assert_non_null(suspects_find(suspects, "x/1"));
    free(suspects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_is_due_where_somebody_waits),
        cmocka_unit_test(a_sentence_ends_and_the_next_is_longer),
        cmocka_unit_test(all_but_the_one_on_probe_are_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
