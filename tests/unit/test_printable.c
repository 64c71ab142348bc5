/*
 * printable: nothing of what others say moves a cursor or begins a line of its own; names stay as they are.
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
    char text[] = "caf\xc3\xa9 \x9b\033[2J\r\nvczfs: forged\t\177";

    (void)state;
    printable(text);
    assert_string_equal(text, "caf\xc3\xa9 \x9b?[2J??vczfs: forged??");
    printable(strcpy(text, ""));
    assert_string_equal(text, "");
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
