/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: what an encoder that holds something back is believed.
 */
#include "fused/encoder/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <event2/event.h>

static void nothing(void *arg)
{
    (void)arg;
}

/* A suspect, a few times; what was never one, never. */
static void what_is_believed(void **state)
{
    const struct evidence evidence = {.signal = 11, .code = 1, .own_fault = true, .label = "x/0"};
    struct event_base *base = event_base_new();
    const struct probe_config config = {
        .link = {.base = base}, .changed = nothing, .settled = nothing};
    struct err err = {0};
    struct probe *probe = probe_new(&config, &err);

    (void)state;
    assert_non_null(probe);
    assert_int_equal(probe_believe(probe, "x/0", 0, &err), -1);
    probe_died(probe, &evidence);
    assert_int_equal(probe_believe(probe, "x/0", 0, &err), 0);
    assert_int_equal(probe_believe(probe, "x/0", 1, &err), 0);
    assert_int_equal(probe_believe(probe, "x/0", 100, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    assert_int_equal(probe_believe(probe, "x/1", 0, &err), -1);
    assert_int_equal(probe_believe(probe, "", 0, &err), -1);
    probe_free(probe);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
