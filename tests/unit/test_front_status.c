/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/latency.h"
#include "fused/serve/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void quantiles_are_within_an_eighth(void **state)
{
    struct latency latency = {0};

    (void)state;
    for (uint64_t us = 1; us <= 100000; us++)
        latency_add(&latency, us);
    assert_int_equal(latency.n, 100000);
    assert_int_equal(latency.max, 100000);
    assert_in_range(latency_quantile(&latency, 0.5), 50000, 50000 + 50000 / 8);
    assert_in_range(latency_quantile(&latency, 0.9), 90000, 100000);
    assert_in_range(latency_quantile(&latency, 0.01), 1000, 1000 + 1000 / 8);
    assert_int_equal(latency_quantile(&latency, 1), 100000);
}

static void few_values_are_exact_when_small(void **state)
{
    struct latency latency = {0};

    (void)state;
    assert_int_equal(latency_quantile(&latency, 0.5), 0);
    latency_add(&latency, 0);
    latency_add(&latency, 7);
    latency_add(&latency, 15);
    assert_int_equal(latency_quantile(&latency, 0.3), 0);
    assert_int_equal(latency_quantile(&latency, 0.6), 7);
    assert_int_equal(latency_quantile(&latency, 0.99), 15);
}

/* Whatever is added, it is counted in a bucket, and a quantile is never more than the longest. */
static void extremes_have_a_bucket(void **state)
{
    static const uint64_t extremes[] = {16,         17,        31, 32, 1ULL << 41, (1ULL << 42) - 1,
                                        1ULL << 42, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof extremes / sizeof extremes[0]; i++) {
        struct latency latency = {0};

        latency_add(&latency, extremes[i]);
        assert_true(latency_quantile(&latency, 0.5) == extremes[i]);
        latency_add(&latency, UINT64_MAX);
        assert_true(latency_quantile(&latency, 0.5) >= extremes[i]);
    }
}

static struct fs *made_fs(void)
{
    struct fs *fs = calloc(1, sizeof *fs);

    assert_non_null(fs);
    fs->nfiles = 1;
    fs->files[0].name = (char *)(uintptr_t) "a\"b.bed";
    return fs;
}

static struct status made_status(const struct fs *fs, const struct latency *latency,
                                 const struct suspects *suspects)
{
    struct status status = {
        .store = "/s/\"x\n.vcz",
        .dir = "/mnt",
        .fs = fs,
        .now = 10500,
        .begun = 500,
        .front_pid = 41,
        .front_resident = 4096,
        .last_end = "was killed by signal 9 (Killed)",
    };

    status.link.state = LINK_UP;
    status.link.up_since = 9000;
    status.link.nstarted = 3;
    status.link.pid = 42;
    strcpy(status.link.program, "enc\x1b[31m");
    status.reads.latency = latency;
    status.suspects = suspects;
    status.reads.last_error = "";
    return status;
}

static void contains(const struct buf *text, const char *part)
{
    if (memmem(text->data, text->len, part, strlen(part)) == NULL)
        fail_msg("'%s' is not in:\n%.*s", part, (int)text->len, (const char *)text->data);
}

static void json_says_what_is_known(void **state)
{
    struct fs *fs = made_fs();
    struct latency latency = {0};
    struct suspects suspects = {
        .items = {{.chunk = "over/0", .until = 10500}, {.chunk = "g\"t/0", .until = 72500}}};
    struct status status = made_status(fs, &latency, &suspects);
    struct buf out = {0};

    (void)state;
    strcpy(status.link.last_loss, "older");
    status.link.last_loss_at = 8000;
    status.reads.last_error = "newer";
    status.reads.last_error_at = 9500;
    status_json(&out, &status);
    contains(&out, "{\"store\": \"/s/\\\"x\\u000a.vcz\", \"directory\": \"/mnt\"");
    contains(&out, "\"pid\": 41, \"state\": \"serving\", \"up\": 10.000, \"resident\": 4096}");
    contains(&out,
             "\"program\": \"enc\\u001b[31m\", \"pid\": 42, \"state\": \"serving\", \"up\": 1.500, "
             "\"restarts\": 2, \"last_end\": \"was killed by signal 9 (Killed)\", "
             "\"resident\": null, \"counters\": null}");
    contains(&out, "\"condemned\": [{\"chunk\": \"g\\\"t/0\", \"for\": 62}]");
    contains(&out, "\"last_error\": {\"text\": \"newer\", \"ago\": 1.000}}\n");
    buf_free(&out);
    free(fs);
}

static void text_has_no_control_characters(void **state)
{
    struct fs *fs = made_fs();
    struct latency latency = {0};
    struct suspects suspects = {
        .items = {{.chunk = "over/0", .until = 10500}, {.chunk = "g\"t/0", .until = 72500}}};
    struct status status = made_status(fs, &latency, &suspects);
    struct buf out = {0};

    (void)state;
    status_text(&out, &status);
    for (size_t i = 0; i < out.len; i++)
        assert_true(out.data[i] >= 0x20 || out.data[i] == '\n');
    contains(&out, "2 restarts, the last one that failed was killed by signal 9");
    contains(&out, "condemned g\"t/0 for 1 min 2 s\n");
    contains(&out, "error     none so far\n");
    buf_free(&out);
    free(fs);
}

static void an_encoder_that_owes_and_is_silent_does_not_answer(void **state)
{
    struct fs *fs = made_fs();
    struct latency latency = {0};
    struct suspects suspects = {0};
    struct status status = made_status(fs, &latency, &suspects);
    struct buf out = {0};

    (void)state;
    status.reads.npending = 1;
    status_json(&out, &status);
    contains(&out, "\"state\": \"not answering\"");
    buf_free(&out);
    free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_an_eighth),
        cmocka_unit_test(few_values_are_exact_when_small),
        cmocka_unit_test(extremes_have_a_bucket),
        cmocka_unit_test(json_says_what_is_known),
        cmocka_unit_test(text_has_no_control_characters),
        cmocka_unit_test(an_encoder_that_owes_and_is_silent_does_not_answer),
    };

    return cmocka_run_group_tests_name("front_status", tests, NULL, NULL);
}
