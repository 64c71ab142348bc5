/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extract: the fast form against the plain one, over random planes, masks and offsets.
 */
#include "encoderd/encode/extract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_word(unsigned density)
{
    uint64_t word = 0;

    for (int i = 0; i < 64; i++)
        word |= (uint64_t)((unsigned)rand() % 16 < density) << i;
    return word;
}

static void test_against_plain(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < 3000; round++) {
        const size_t nwords = 1 + (size_t)rand() % 40;
        const uint64_t first = (uint64_t)rand() % 200;
        const size_t nbytes = (first + nwords * 64) / 8 + 9;
        uint8_t *plane = malloc(nbytes);
        uint64_t mask[40];
        uint8_t fast[40 * 8 + 16], plain[40 * 8 + 16];
        uint64_t nbits = 0;

        for (size_t i = 0; i < nbytes; i++)
            plane[i] = (uint8_t)rand();
        for (size_t i = 0; i < nwords; i++) {
            mask[i] = random_word((unsigned)round % 17);
            nbits += (uint64_t)__builtin_popcountll(mask[i]);
        }
        memset(fast, 0x5a, sizeof fast);
        memset(plain, 0x5a, sizeof plain);
        extract_bits(plane, first, mask, nwords, fast);
        extract_bits_plain(plane, first, mask, nwords, plain);
        assert_memory_equal(fast, plain, (nbits + 7) / 8);
        for (size_t i = nbits / 8 + 8; i < sizeof fast; i++)
            assert_int_equal(fast[i], 0x5a);
        free(plane);
    }
}

/* The plain form against bits taken one by one from known places. */
static void test_plain(void **state)
{
    const uint8_t plane[] = {0xb2, 0x01, 0, 0, 0, 0, 0, 0, 0, 0}; /* bits 1, 4, 5, 7, 8 */
    const uint64_t mask = 0x153; /* of bits first + 0, 1, 4, 6, 8 */
    uint8_t out[9] = {0};

    (void)state;
    extract_bits_plain(plane, 0, &mask, 1, out);
    assert_int_equal(out[0], 0x16); /* 0:0 1:1 4:1 6:0 8:1 */
    extract_bits_plain(plane, 1, &mask, 1, out);
    assert_int_equal(out[0], 0x0d); /* 1:1 2:0 5:1 7:1 9:0 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_against_plain),
    };

    return cmocka_run_group_tests_name("extract", tests, NULL, NULL);
}
