/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgen_header: any part of it is that part of the whole, which is as doc/FORMATS.md has it.
 */
#include "encoderd/format/bgen_header.h"

#include "tests/unit/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define NROWS 1234567

struct text {
    uint8_t *at;
    size_t n;
};

static void add_number(struct text *text, unsigned nbytes, uint64_t value)
{
    for (unsigned i = 0; i < nbytes; i++)
        text->at[text->n++] = (uint8_t)(value >> 8 * i);
}

/* All of it, as the specification says it. */
static struct text expect(const struct str *ids, uint64_t nids, bool samples)
{
    struct text text = {0};
    size_t nbytes = 8;

    for (uint64_t i = 0; i < nids; i++)
        nbytes += 2 + ids[i].len;
    text.at = malloc(24 + nbytes);
    add_number(&text, 4, 20 + (samples ? nbytes : 0));
    add_number(&text, 4, 20);
    add_number(&text, 4, NROWS);
    add_number(&text, 4, nids);
    memcpy(text.at + text.n, "bgen", 4);
    text.n += 4;
    add_number(&text, 4, 1 | 2 << 2 | (samples ? UINT32_C(1) << 31 : 0));
    if (!samples)
        return text;
    add_number(&text, 4, nbytes);
    add_number(&text, 4, nids);
    for (uint64_t i = 0; i < nids; i++) {
        add_number(&text, 2, ids[i].len);
        memcpy(text.at + text.n, ids[i].at, ids[i].len);
        text.n += ids[i].len;
    }
    return text;
}

static void check_part(const struct bgen_header *header, const struct text *due, uint64_t begin,
                       uint64_t end)
{
    uint8_t *out = malloc(end - begin + 1); /* sanitizers see what is written past it */

    out[end - begin] = 0xa5;
    bgen_header_write(header, begin, end, out);
    assert_memory_equal(out, due->at + begin, end - begin);
    assert_int_equal(out[end - begin], 0xa5);
    free(out);
}

static void check(uint64_t nids, bool samples, size_t longest)
{
    struct str *ids = calloc(nids, sizeof *ids);
    char *names = malloc(longest + 1);
    const struct selection selection = {
        .nsamples = nids, .sample_id = ids, .rows = {.kept = {.nrows = NROWS}}};
    struct bgen_header header;
    struct err err = {0};
    struct text due;

    for (size_t i = 0; i <= longest; i++)
        names[i] = (char)('a' + i % 26);
    for (uint64_t i = 0; i < nids; i++)
        ids[i] = (struct str){names, (size_t)(rng() % (longest + 1))};
    due = expect(ids, nids, samples);
    assert_int_equal(bgen_header_init(&header, &selection, samples, &err), 0);
    assert_int_equal(header.nbytes, due.n);
    check_part(&header, &due, 0, due.n);
    for (unsigned round = 0; round < 300; round++) {
        const uint64_t begin = rng() % due.n;

        check_part(&header, &due, begin, begin + 1 + rng() % (due.n - begin));
        check_part(&header, &due, begin, begin + 1);
    }
    bgen_header_clear(&header);
    free(due.at);
    free(names);
    free(ids);
}

static void any_part(void **state)
{
    static const uint64_t counts[] = {1, 2, 4095, 4096, 4097, 8191, 8192, 8193, 20000};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        for (size_t longest = 0; longest < 40; longest += 13) {
            check(counts[i], true, longest);
            check(counts[i], false, longest);
        }
    check(3, true, UINT16_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_part),
    };

    return cmocka_run_group_tests_name("bgen_header", tests, NULL, NULL);
}
