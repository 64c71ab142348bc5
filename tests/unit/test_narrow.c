/* SPDX-License-Identifier: Apache-2.0 */
/*
 * narrow: every width against the plain way, one element at a time.
 */
#include "encoderd/encode/narrow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N 300

static const unsigned widths[] = {1, 2, 4, 8};

/* Most are alleles; some have low bytes that look like one. */
static int64_t any_value(unsigned width, int wrong)
{
    const int64_t allele = rand() % 4 - 2;
    const int64_t values[] = {INT8_MIN,
                              INT8_MAX,
                              INT8_MAX + 1,
                              INT8_MIN - 1,
                              allele + 256,
                              allele - 256,
                              INT16_MIN,
                              INT16_MAX,
                              allele + (INT64_C(1) << (8 * width - 2)),
                              (int64_t)(UINT64_C(1) << (8 * width - 1))};

    return rand() % 100 < wrong ? values[rand() % 10] : allele;
}

/* What the low `width` bytes are as a number of that width. */
static int64_t of_width(int64_t value, unsigned width)
{
    return width == 1   ? (int8_t)value
           : width == 2 ? (int16_t)value
           : width == 4 ? (int32_t)value
                        : value;
}

static int8_t plain(int64_t value)
{
    return value < INT8_MIN || value > INT8_MAX ? INT8_MAX : (int8_t)value;
}

/* Elements at any address, and what each is to become. */
struct elements {
    uint8_t room[N * 8 + 1];
    const uint8_t *at;
    int8_t due[N];
};

static void make_elements(struct elements *elements, unsigned width, int wrong)
{
    uint8_t *at = elements->room + rand() % 2;

    elements->at = at;
    for (unsigned i = 0; i < N; i++) {
        const int64_t value = any_value(width, wrong);

        /* Little-endian: the low bytes come first. */
        memcpy(at + i * width, &value, width);
        elements->due[i] = plain(of_width(value, width));
    }
}

static void test_run(void **state)
{
    struct elements elements;
    int8_t got[N + 1];

    (void)state;
    srand(3);
    for (unsigned i = 0; i < 4000; i++) {
        const unsigned width = widths[i % 4], first = (unsigned)rand() % 100;
        const uint64_t n = (uint64_t)rand() % (N - first + 1);

        make_elements(&elements, width, i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : 50);
        memset(got, 0x5a, sizeof got);
        narrow_run(elements.at + first * width, width, n, got);
        assert_memory_equal(got, elements.due + first, n);
        assert_int_equal(got[n], 0x5a);
    }
}

static void test_gather(void **state)
{
    struct elements elements;
    uint64_t chosen[N];
    int8_t got[2 * N];

    (void)state;
    srand(4);
    for (unsigned i = 0; i < 4000; i++) {
        const unsigned width = widths[i % 4], step = 1 + i / 4 % 2;
        /* The block's first element, or the one before it: alleles of calls are counted from the
         * call's. */
        const uint64_t first = (uint64_t)rand() % 3 - 1, n = (uint64_t)rand() % N;

        make_elements(&elements, width, 20);
        for (uint64_t k = 0; k < n; k++)
            chosen[k] = first + (uint64_t)rand() % N;
        memset(got, 0x5a, sizeof got);
        narrow_gather(elements.at, width, first, chosen, n, step, got);
        for (uint64_t k = 0; k < 2 * N; k++)
            assert_int_equal(got[k], k % step == 0 && k / step < n
                                         ? elements.due[chosen[k / step] - first]
                                         : 0x5a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_gather),
    };

    return cmocka_run_group_tests_name("narrow", tests, NULL, NULL);
}
