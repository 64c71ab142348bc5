/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blosc frames: every compressor and shuffle block by block against c-blosc's own whole-frame
 * decode, and frames that lie.
 */
#include "encoderd/zarr/codec/blosc1_decode.h"

#include "common/bytes.h"
#include "tests/unit/shuffling.h"

#include <blosc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NBYTES 200003

static uint8_t data[NBYTES];

/* Runs and noise, so that some streams compress and some are stored. */
static int setup(void **state)
{
    uint32_t x = 1;

    (void)state;
    for (size_t i = 0; i < NBYTES; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = i < NBYTES / 2 ? (uint8_t)(x >> 30 == 0) : (uint8_t)(x >> 24);
    }
    return 0;
}

static void check_planes(const struct blosc1_frame *frame, const uint8_t *from, uint32_t i,
                         uint32_t begin, size_t n, ZSTD_DCtx *zstd)
{
    uint32_t nbytes = blosc1_block_nbytes(frame, i);
    uint8_t *in = malloc(BLOSC1_ROOM + n), *out = malloc(nbytes), *plain = malloc(nbytes);
    struct planes planes;
    struct err err = {0};

    memcpy(in + BLOSC1_ROOM, from + begin, n);
    if (blosc1_decode_planes(frame, i, in + BLOSC1_ROOM, n, zstd, out, &planes, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(planes.nbytes, nbytes / 8);
    unshuffle(&planes, plain);
    assert_memory_equal(plain, data + (size_t)i * frame->block_size, nbytes);
    free(in);
    free(out);
    free(plain);
}

/* Each block by itself, in buffers of exactly its size; returns how many came as planes. */
static unsigned check_frame(const uint8_t *from, size_t n, size_t nbytes)
{
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    uint8_t *whole = malloc(nbytes);
    uint32_t *begins = NULL, *ends = NULL;
    struct blosc1_frame frame;
    struct err err = {0};
    unsigned planes = 0;

    if (blosc1_decode_frame(from, n, nbytes, whole, &err) != 0 ||
        blosc1_parse_header(from, n, nbytes, &frame, &err) != 0)
        fail_msg("%s", err.msg);
    assert_memory_equal(whole, data, nbytes);
    if (!frame.stored &&
        blosc1_index(&frame, from + BLOSC1_HEADER_NBYTES, &begins, &ends, &err) != 0)
        fail_msg("%s", err.msg);
    for (uint32_t i = 0; i < frame.nblocks; i++) {
        if (!blosc1_block_is_planes(&frame, i))
            continue;
        check_planes(&frame, from, i, begins[i], ends[i] - begins[i], zstd);
        planes++;
    }
    free(begins);
    free(ends);
    free(whole);
    ZSTD_freeDCtx(zstd);
    return planes;
}

static void test_all_kinds(void **state)
{
    static const char *const compressors[] = {"blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"};
    static const size_t typesizes[] = {1, 2, 3, 4, 8, 16, 17, 255};
    static const size_t sizes[] = {1, 7, 16, 127, 128, 1000, 4096, 200000, NBYTES};
    uint8_t *frame = malloc(NBYTES + BLOSC_MAX_OVERHEAD);
    unsigned planes = 0, frames = 0;

    (void)state;
    for (size_t c = 0; c < 6; c++)
        for (size_t t = 0; t < 8; t++)
            for (size_t s = 0; s < 9; s++)
                for (int shuffle = 0; shuffle <= 2; shuffle++) {
                    int n = blosc_compress_ctx(5, shuffle, typesizes[t], sizes[s], data, frame,
                                               NBYTES + BLOSC_MAX_OVERHEAD, compressors[c],
                                               s % 2 ? 1024 : 0, 1);

                    if (n < 0 && strcmp(compressors[c], "snappy") == 0)
                        continue;
                    assert_true(n > 0);
                    planes += check_frame(frame, (size_t)n, sizes[s]);
                    frames++;
                }
    assert_true(frames >= 5 * 8 * 9 * 3);
    if (planes <= 200)
        fail_msg("%u of %u", planes, frames);
    free(frame);
}

/* c-blosc's threads write blocks as they finish: the same blocks in another order are the same
 * data. */
static void test_block_order(void **state)
{
    uint8_t *from = malloc(NBYTES + BLOSC_MAX_OVERHEAD), *turned;
    uint32_t *begins, *ends, at;
    struct blosc1_frame frame;
    int n = blosc_compress_ctx(5, 2, 1, 8192, data, from, NBYTES, "zstd", 1024, 1);

    (void)state;
    assert_true(n > 0);
    assert_int_equal(blosc1_parse_header(from, (size_t)n, 8192, &frame, NULL), 0);
    assert_int_equal(frame.nblocks, 8);
    assert_int_equal(blosc1_index(&frame, from + 16, &begins, &ends, NULL), 0);
    turned = malloc((size_t)n);
    memcpy(turned, from, 16);
    at = 16 + 4 * 8;
    for (uint32_t i = 8; i-- > 0;) {
        memcpy(turned + at, from + begins[i], ends[i] - begins[i]);
        put_le32(turned + 16 + 4 * i, at);
        at += ends[i] - begins[i];
    }
    assert_int_equal(at, n);
    assert_int_equal(check_frame(turned, (size_t)n, 8192), 8);
    free(begins);
    free(ends);
    free(turned);
    free(from);
}

struct attack {
    size_t at;
    uint32_t value;
    unsigned nbytes; /* of the value */
};

/* Writes over one field of a good frame of 8 blocks; decoding must fail. */
static void attack(const uint8_t *good, size_t n, struct attack attack, enum err_code code)
{
    uint8_t *bad = malloc(n), *out = malloc(8192);
    struct err err = {0};

    memcpy(bad, good, n);
    for (unsigned i = 0; i < attack.nbytes; i++)
        bad[attack.at + i] = (uint8_t)(attack.value >> (8 * i));
    if (blosc1_decode_frame(bad, n, 8192, out, &err) == 0)
        fail_msg("offset %zu := %u was decoded", attack.at, attack.value);
    if (err.code != code)
        fail_msg("offset %zu := %u: %s", attack.at, attack.value, err.msg);
    free(bad);
    free(out);
}

static void test_attacks(void **state)
{
    uint8_t *good = malloc(NBYTES + BLOSC_MAX_OVERHEAD);
    int rc = blosc_compress_ctx(5, 2, 1, 8192, data, good, NBYTES, "zstd", 1024, 1);
    uint32_t n = (uint32_t)rc, second;

    (void)state;
    assert_true(rc > 0);
    second = get_le32(good + 20);
    const struct {
        struct attack attack;
        enum err_code code;
    } attacks[] = {
        {{0, 1, 1}, ERR_CORRUPT},           {{0, 4, 1}, ERR_UNSUPPORTED},
        {{1, 2, 1}, ERR_UNSUPPORTED},       {{2, 0x9c, 1}, ERR_CORRUPT},
        {{2, 0x95, 1}, ERR_CORRUPT},        {{2, 0xf4, 1}, ERR_UNSUPPORTED},
        {{2, 0x96, 1}, ERR_CORRUPT},        {{3, 0, 1}, ERR_CORRUPT},
        {{4, 8191, 4}, ERR_CORRUPT},        {{4, 0, 4}, ERR_CORRUPT},
        {{4, UINT32_MAX, 4}, ERR_CORRUPT},  {{8, 0, 4}, ERR_CORRUPT},
        {{8, UINT32_MAX, 4}, ERR_CORRUPT},  {{8, 8193, 4}, ERR_CORRUPT},
        {{8, 1, 4}, ERR_CORRUPT},           {{12, 0, 4}, ERR_CORRUPT},
        {{12, 15, 4}, ERR_CORRUPT},         {{12, 40, 4}, ERR_CORRUPT},
        {{12, n + 1, 4}, ERR_CORRUPT},      {{12, UINT32_MAX, 4}, ERR_CORRUPT},
        {{16, 0, 4}, ERR_CORRUPT},          {{16, 47, 4}, ERR_CORRUPT},
        {{16, n, 4}, ERR_CORRUPT},          {{16, n - 3, 4}, ERR_CORRUPT},
        {{16, UINT32_MAX, 4}, ERR_CORRUPT}, {{16, second, 4}, ERR_CORRUPT},
        {{16, second - 2, 4}, ERR_CORRUPT}, {{48, 0, 4}, ERR_CORRUPT},
        {{48, n, 4}, ERR_CORRUPT},          {{48, 0x7fffffff, 4}, ERR_CORRUPT},
        {{48, UINT32_MAX, 4}, ERR_CORRUPT},
    };

    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
        attack(good, n, attacks[i].attack, attacks[i].code);
    free(good);
}

/* A zstd frame that holds more than its block must not write past it. */
static void test_zstd_too_long(void **state)
{
    uint8_t from[16 + 4 + 4 + 256] = {2, 1, 0x94, 1}, *in = from + 24 - 4, *out = malloc(64);
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    struct blosc1_frame frame;
    struct planes planes;
    struct err err = {0};
    uint8_t zeros[4096] = {0};
    size_t n = ZSTD_compress(from + 24, 256, zeros, sizeof zeros, 1);

    (void)state;
    assert_false(ZSTD_isError(n));
    put_le32(from + 4, 64);
    put_le32(from + 8, 64);
    put_le32(from + 12, (uint32_t)(24 + n));
    put_le32(from + 16, 20);
    put_le32(from + 20, (uint32_t)n);
    assert_int_equal(blosc1_parse_header(from, 24 + n, 64, &frame, &err), 0);
    assert_int_equal(blosc1_decode_frame(from, 24 + n, 64, out, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(blosc1_decode_planes(&frame, 0, in, 4 + n, zstd, out, &planes, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.msg, "Blosc block 0 of 1"));
    ZSTD_freeDCtx(zstd);
    free(out);
}

static void test_too_many_blocks(void **state)
{
    uint8_t header[16] = {2, 1, 0x94, 1};
    struct blosc1_frame frame;
    struct err err = {0};

    (void)state;
    put_le32(header + 4, 1 << 30);
    put_le32(header + 8, 1);
    put_le32(header + 12, 1 << 30);
    assert_int_equal(blosc1_parse_header(header, 1 << 30, 1 << 30, &frame, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds),       cmocka_unit_test(test_block_order),
        cmocka_unit_test(test_attacks),         cmocka_unit_test(test_zstd_too_long),
        cmocka_unit_test(test_too_many_blocks),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
