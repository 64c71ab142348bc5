/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd_zeros: frames of the library's making and by hand, whole and damaged, against the library's
 * own decoding of all of them.
 */
#include "encoderd/zarr/codec/zstd_zeros.h"

#include "common/bytes.h"
#include "tests/unit/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it. */
#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define KIB   ((size_t)1024)
#define MOST  (600 * KIB)
#define BLOCK (128 * KIB)

struct frame {
    uint8_t *bytes; /* owned */
    size_t n, nbytes;
};

static struct frame compress(const uint8_t *data, size_t nbytes, int level)
{
    struct frame frame = {.bytes = malloc(ZSTD_compressBound(nbytes)), .nbytes = nbytes};

    frame.n = ZSTD_compress(frame.bytes, ZSTD_compressBound(nbytes), data, nbytes, level);
    assert_false(ZSTD_isError(frame.n));
    return frame;
}

/* Decodes in buffers of exactly its size what is left after the cut, and adds the zeroes; false if
 * that fails. */
static bool decode_cut(const struct frame *frame, uint8_t *out, size_t *there)
{
    uint8_t *in = malloc(frame->n);
    size_t n = frame->n;
    bool ok;

    memcpy(in, frame->bytes, n);
    *there = zstd_cut_zeros(in, &n, frame->nbytes);
    assert_true(n <= frame->n && *there <= frame->nbytes);
    ok = *there == 0 || ZSTD_decompress(out, frame->nbytes, in, n) == *there;
    memset(out + *there, 0, frame->nbytes - *there);
    if (n < frame->n)
        zstd_uncut_zeros(in, n, frame->nbytes);
    assert_memory_equal(in, frame->bytes, frame->n);
    free(in);
    return ok;
}

/* Holds the cut frame against the whole one; returns how many bytes were left, or SIZE_MAX if
 * neither decodes. */
static size_t check(const struct frame *frame)
{
    uint8_t *due = calloc(1, frame->nbytes), *got = calloc(1, frame->nbytes);
    const bool valid = ZSTD_decompress(due, frame->nbytes, frame->bytes, frame->n) == frame->nbytes;
    size_t there;

    assert_int_equal(decode_cut(frame, got, &there), valid);
    if (valid)
        assert_memory_equal(got, due, frame->nbytes);
    free(due);
    free(got);
    return valid ? there : SIZE_MAX;
}

/* Bits of rare alleles, then zeroes from `end` on. */
static void fill(uint8_t *data, size_t nbytes, size_t end, unsigned rare)
{
    memset(data, 0, nbytes);
    for (size_t i = 0; i < end; i++)
        if (rng() % rare == 0)
            data[i] = (uint8_t)(1u << rng() % 8);
}

static void as_the_library_writes_them(void **state)
{
    static uint8_t data[MOST];
    unsigned ndue = 0, ncut = 0;

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        const size_t nbytes = round % 2 == 0 ? 512 * KIB : 1 + rng() % MOST;
        const size_t end = rng() % 5 == 0 ? 0 : rng() % (nbytes + 1);
        struct frame frame;
        size_t there;

        fill(data, nbytes, end, 1 + (unsigned)(rng() % 200));
        frame = compress(data, nbytes, 1 + (int)(rng() % 12));
        there = check(&frame);
        /* Nearly always it stores blocks of 128 KiB that are all zeroes as such, after the
         * first. */
        if (nbytes == 512 * KIB && end > 0 && end <= 3 * BLOCK) {
            ndue++;
            ncut += there <= (end + BLOCK - 1) / BLOCK * BLOCK;
        }
        free(frame.bytes);
    }
    assert_true(ndue > 80 && ncut > ndue * 9 / 10);
}

/* A bit flipped, a byte changed, cut short, or something after the end: no more and no less is
 * accepted than before. */
static void damaged(void **state)
{
    static uint8_t data[512 * KIB];
    unsigned nvalid = 0, ncut = 0;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        const size_t nbytes = (size_t)(1 + rng() % 4) * BLOCK;
        struct frame frame;
        size_t at, there;

        fill(data, nbytes, rng() % (nbytes / 2), 1 + (unsigned)(rng() % 5000));
        frame = compress(data, nbytes, 3);
        at = rng() % 2 == 0 ? rng() % (frame.n < 40 ? frame.n : 40) : rng() % frame.n;
        switch (rng() % 4) {
        case 0:
            frame.n = at;
            break;
        case 1:
            frame.bytes[at] = (uint8_t)rng();
            break;
        default:
            frame.bytes[at] ^= (uint8_t)(1u << rng() % 8);
        }
        there = check(&frame);
        nvalid += there != SIZE_MAX;
        ncut += there < nbytes;
        free(frame.bytes);
    }
    assert_true(nvalid > 50 && ncut > 50);
}

/* A frame by hand. */
static void begin(struct frame *frame, uint8_t descriptor, size_t nbytes)
{
    *frame = (struct frame){.bytes = calloc(1, MOST), .nbytes = nbytes};
    put_le32(frame->bytes, 0xfd2fb528u);
    frame->bytes[4] = descriptor;
    put_le32(frame->bytes + 5, (uint32_t)nbytes);
    frame->n = 9;
}

static void add(struct frame *frame, unsigned type, size_t size, uint8_t value, bool last)
{
    const size_t header = size << 3 | type << 1 | last, stored = type == 1 ? 1 : size;

    for (unsigned i = 0; i < 3; i++)
        frame->bytes[frame->n++] = (uint8_t)(header >> 8 * i);
    memset(frame->bytes + frame->n, value, stored);
    frame->n += stored;
}

enum { RAW, RLE, COMPRESSED, RESERVED };

struct part {
    unsigned type;
    size_t size;
    uint8_t value;
};

#define WHOLE  SIZE_MAX       /* left to the library, which takes it */
#define BROKEN (SIZE_MAX - 1) /* nobody takes it */

static void check_parts(uint8_t descriptor, const struct part *parts, size_t nparts, size_t nbytes,
                        size_t due)
{
    struct frame frame;
    size_t there;

    begin(&frame, descriptor, nbytes);
    for (size_t i = 0; i < nparts; i++)
        add(&frame, parts[i].type, parts[i].size, parts[i].value, i + 1 == nparts);
    there = check(&frame);
    assert_int_equal(there, due == BROKEN ? SIZE_MAX : due == WHOLE ? nbytes : due);
    /* Something after it, and something missing. */
    frame.bytes[frame.n++] = 0;
    assert_int_equal(check(&frame), SIZE_MAX);
    frame.n -= 2;
    assert_int_equal(check(&frame), SIZE_MAX);
    free(frame.bytes);
}

#define CHECK(descriptor, nbytes, due, ...)                                                        \
    do {                                                                                           \
        const struct part parts[] = {__VA_ARGS__};                                                 \
                                                                                                   \
        check_parts(descriptor, parts, sizeof parts / sizeof parts[0], nbytes, due);               \
    } while (0)

static void by_hand(void **state)
{
    (void)state;
    CHECK(0xa0, 1000, 10, {RAW, 10, 7}, {RLE, 990, 0});
    CHECK(0xa0, 1000, 10, {RAW, 10, 7}, {RLE, 500, 0}, {RLE, 490, 0});
    CHECK(0xb0, 1000, 10, {RAW, 10, 7}, {RLE, 990, 0});
    CHECK(0xa0, 1000, 500, {RLE, 500, 3}, {RLE, 500, 0});
    CHECK(0xa0, 1000, 0, {RLE, 1000, 0});
    CHECK(0xa0, 1000, 0, {RLE, 900, 0}, {RLE, 100, 0});
    /* Zeroes that are not at the end, or not zeroes. */
    CHECK(0xa0, 1000, WHOLE, {RAW, 10, 7}, {RLE, 980, 0}, {RAW, 10, 7});
    CHECK(0xa0, 1000, 510, {RLE, 500, 0}, {RAW, 10, 7}, {RLE, 490, 0});
    CHECK(0xa0, 1000, WHOLE, {RAW, 10, 7}, {RLE, 990, 1});
    CHECK(0xa0, 1000, WHOLE, {RAW, 1000, 0});
    /* Too many, too few. */
    CHECK(0xa0, 1000, BROKEN, {RAW, 10, 7}, {RLE, 991, 0});
    CHECK(0xa0, 1000, BROKEN, {RAW, 10, 7}, {RLE, 989, 0});
    CHECK(0xa0, 1000, BROKEN, {RAW, 10, 7}, {RLE, 1000, 0});
    CHECK(0xa0, 1000, BROKEN, {RAW, 10, 7}, {RLE, 1001, 0});
    CHECK(0xa0, 1000, BROKEN, {RLE, 999, 0});
    CHECK(0xa0, 1000, BROKEN, {RLE, 1001, 0});
    /* What is before them is nothing, or damaged. */
    CHECK(0xa0, 1000, WHOLE, {RAW, 0, 0}, {RLE, 1000, 0});
    CHECK(0xa0, 1000, BROKEN, {COMPRESSED, 10, 7}, {RLE, 1000, 0});
    CHECK(0xa0, 1000, BROKEN, {COMPRESSED, 10, 7}, {RLE, 990, 0});
    CHECK(0xa0, 1000, BROKEN, {RESERVED, 10, 7}, {RLE, 990, 0});
    /* Of other kinds: no segment of its own (here with a window of 1 KiB and a size of 2 bytes),
     * reserved. */
    CHECK(0xa8, 1000, BROKEN, {RAW, 10, 7}, {RLE, 990, 0});
    CHECK(0xa4, 1000, BROKEN, {RAW, 10, 7}, {RLE, 990, 0});
    CHECK(0xa1, 1000, BROKEN, {RAW, 10, 7}, {RLE, 990, 0});
}

/* No block there, no header there. */
static void too_short(void **state)
{
    struct frame frame;

    (void)state;
    begin(&frame, 0xa0, 1000);
    for (size_t n = 0; n <= 12; n++) {
        frame.n = n;
        assert_int_equal(check(&frame), SIZE_MAX);
    }
    free(frame.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_library_writes_them),
        cmocka_unit_test(damaged),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(too_short),
    };

    return cmocka_run_group_tests_name("zstd_zeros", tests, NULL, NULL);
}
