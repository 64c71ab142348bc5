/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printable: nothing of what others say moves a cursor or begins a line of its own; names stay as
 * they are.
 */
#include "common/printable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_text(void **state)
{
    char text[] = "caf\xc3\xa9 \xc2\xa0\xc2\x9b\033[2J\r\nvczfs: forged\t\177\xc2";

    (void)state;
    printable(text, strlen(text));
    assert_string_equal(text, "caf\xc3\xa9 \xc2\xa0???[2J??vczfs: forged??\xc2");
    printable(text, 0);
    assert_int_equal(text[0], 'c');
}

/* Lines stay lines; a NUL in them is no end. */
static void test_lines(void **state)
{
    char text[] = "one\n\033two\0three\n";

    (void)state;
    printable_lines(text, sizeof text - 1);
    assert_memory_equal(text, "one\n?two?three\n", sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_lines),
    };

    return cmocka_run_group_tests_name("printable", tests, NULL, NULL);
}
