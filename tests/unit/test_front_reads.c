/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads under an encoder that answers, lies, delays and dies, in thousands of histories: what has
 * to hold is in reads_model.h. A history that fails says its number; VCZFS_HISTORY=NUMBER plays it
 * alone.
 */
#include "tests/unit/reads_model.h"
#include "tests/unit/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HISTORIES 4000
#define STEPS_MAX 300

static void play(unsigned long number)
{
    char name[32];

    snprintf(name, sizeof name, "history %lu", number);
    rng_state = number * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < 8; i++)
        rng(); /* small seeds begin alike */
    model_play(name, 1 + (unsigned)rng_below(STEPS_MAX), rng_below, NULL, 0);
}

static void reads_hold_what_they_promise(void **state)
{
    const char *number = getenv("VCZFS_HISTORY");

    (void)state;
    model_quiet();
    for (unsigned long i = 0; i < HISTORIES && number == NULL; i++)
        play(i);
    if (number != NULL)
        play(strtoul(number, NULL, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_hold_what_they_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
