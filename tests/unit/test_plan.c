/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: spans stay within their limit, also where a long header meets rows that are made whole.
 */
#include "encoderd/serve/plan.h"

#include "common/size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

static const struct stream_layout layouts[] = {
    {.header_nbytes = 3, .row_nbytes = 625, .nrows = 100000, .samples_per_byte = 4},
    {.header_nbytes = 3, .row_nbytes = 25000000, .nrows = 10, .samples_per_byte = 4},
    {.header_nbytes = 24, .row_nbytes = 161, .nrows = 100000},
    {.header_nbytes = 14000033, .row_nbytes = 4500453, .nrows = 30},
    {.header_nbytes = 14000033, .row_nbytes = 127, .nrows = 300000},
    {.header_nbytes = 1000, .row_nbytes = 90118, .nrows = 1},
};

static bool is_edge(const struct stream_layout *layout, uint64_t at)
{
    return layout->samples_per_byte != 0 || at <= layout->header_nbytes ||
           (at - layout->header_nbytes) % layout->row_nbytes == 0;
}

static void check(const struct stream_layout *layout, const struct plan_limits *limits,
                  const struct extent_plan *plan, uint64_t offset)
{
    const uint64_t most = layout->samples_per_byte != 0
                              ? limits->span_max
                              : limits->span_max + size_max(layout->row_nbytes, limits->span_max);

    assert_true(plan->begin <= offset && offset < plan->end);
    assert_true(plan->end <= format_stream_size(layout));
    assert_true(is_edge(layout, plan->begin) && is_edge(layout, plan->end));
    assert_true(plan->end - plan->begin <= most);
}

static void any_read_of_any_layout(void **state)
{
    static const uint64_t lengths[] = {1, 4096, 131072, 1 << 20};

    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        const struct stream_layout *layout = &layouts[i];
        const uint64_t size = format_stream_size(layout);

        for (unsigned round = 0; round < 20000; round++) {
            const struct plan_limits limits = {.span_max = UINT64_C(1) << (20 + round % 4)};
            const uint64_t near = layout->header_nbytes + (uint64_t)rand() % 10000;
            uint64_t offset = round % 3 == 0 && near > 5000 ? near - 5000 : (uint64_t)rand();
            struct reader reader = {0};
            struct extent_plan plan;

            offset %= size;
            plan = plan_exact(layout, size, &limits, offset, lengths[round % 4]);
            check(layout, &limits, &plan, offset);
            plan = plan_in_row(layout, size, &limits, offset, lengths[round % 4]);
            check(layout, &limits, &plan, offset);
            for (unsigned n = 0; n < 8 && offset < size; n++) {
                plan = plan_read(&reader, layout, size, &limits, offset, lengths[round % 4]);
                check(layout, &limits, &plan, offset);
                offset = plan.end;
            }
            if (offset < size && is_edge(layout, offset)) {
                plan = plan_ahead(layout, size, &limits, offset);
                check(layout, &limits, &plan, offset);
            }
        }
    }
}

/* Short reads near one another are a random reader's; long ones, out of order by a few,
 * read-ahead's. */
static void near_is_next_for_long_reads_only(void **state)
{
    const struct stream_layout *layout = &layouts[0];
    const struct plan_limits limits = {.span_max = UINT64_C(2) << 20, .skip_max = 1};
    const uint64_t size = format_stream_size(layout);
    struct reader reader = {0};

    (void)state;
    srand(11);
    for (uint64_t i = 0, at = 10000000; i < 1000; i++) {
        const uint64_t step = 65536 + (uint64_t)rand() % 131072;
        const struct extent_plan plan = plan_read(&reader, layout, size, &limits, at, 4096);

        assert_false(plan.sequential);
        assert_int_equal(plan.end - plan.begin, 4096);
        at = rand() % 2 == 0 && at > step ? at - step : at + step;
    }
    reader = (struct reader){0};
    assert_false(plan_read(&reader, layout, size, &limits, 20000000, 131072).sequential);
    assert_true(
        plan_read(&reader, layout, size, &limits, reader.next + 3 * 131072, 131072).sequential);
    assert_true(plan_read(&reader, layout, size, &limits, reader.next, 131072).sequential);
    assert_true(plan_read(&reader, layout, size, &limits, reader.next, 4096).sequential);
    assert_false(
        plan_read(&reader, layout, size, &limits, reader.next + 3 * 131072, 4096).sequential);
}

/* How many of these reads, of the page in which each step-th row begins, are taken for a run. A
 * page begins in the row before; what of that the reader was given already it asks for again
 * (`again`), or not. */
static unsigned count_sequential(const struct stream_layout *layout,
                                 const struct plan_limits *limits, unsigned step, bool again)
{
    const uint64_t size = format_stream_size(layout);
    struct reader reader = {0};
    unsigned n = 0;

    for (uint64_t row = 0; row < layout->nrows; row += step) {
        const uint64_t begin = layout->header_nbytes + row * layout->row_nbytes;
        const uint64_t page = begin / 4096 * 4096;

        if (reader.next < begin + 100)
            n += plan_read(&reader, layout, size, limits,
                           again ? page : size_max(page, reader.next), 4096)
                     .sequential;
    }
    return n;
}

/* Who reads a little of each row, or of every few, by pages as the kernel does, is soon given whole
 * rows; who leaves out more, what they asked for. */
static void a_little_of_each_row_is_a_run(void **state)
{
    struct stream_layout many = layouts[5];
    const struct plan_limits limits = {.span_max = UINT64_C(2) << 20, .skip_max = 4};

    (void)state;
    many.nrows = 1000;
    for (unsigned step = 1; step < 10; step++) {
        for (unsigned again = 0; again < 2; again++) {
            const unsigned n = count_sequential(&many, &limits, step, again);

            if (step <= limits.skip_max + 1)
                assert_true(n > 10);
            else
                assert_int_equal(n, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_is_next_for_long_reads_only),
        cmocka_unit_test(any_read_of_any_layout),
        cmocka_unit_test(a_little_of_each_row_is_a_run),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
