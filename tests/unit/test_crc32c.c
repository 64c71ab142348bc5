/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc32c: with the CPU's instruction and without, against the definition, over lengths, alignments
 * and cuts.
 */
#include "common/crc32c.h"
#include "tests/unit/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Bit by bit, as RFC 3720 defines it. */
static uint32_t defined(const uint8_t *data, size_t n)
{
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        sum ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0x82f63b78) : 0);
    }
    return ~sum;
}

/* The examples of RFC 3720, appendix B.4. */
static void test_examples(void **state)
{
    uint8_t bytes[32];

    (void)state;
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x62a8ab43);
    for (uint8_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i;
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x46dd794e);
    assert_int_equal(crc32c(bytes, 0), 0);
}

static void test_random(void **state)
{
    uint8_t bytes[512];

    (void)state;
    for (int round = 0; round < 2000; round++) {
        const size_t begin = rng_below(16), n = rng_below(sizeof bytes - begin + 1);
        const size_t cut = rng_below(n + 1);
        const uint8_t *at = bytes + begin;
        uint32_t due;

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)rng();
        due = defined(at, n);
        assert_int_equal(crc32c(at, n), due);
        assert_int_equal(crc32c_more(crc32c(at, cut), at + cut, n - cut), due);
        assert_int_equal(crc32c_portable(0, at, n), due);
        assert_int_equal(crc32c_portable(crc32c_portable(0, at, cut), at + cut, n - cut), due);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
