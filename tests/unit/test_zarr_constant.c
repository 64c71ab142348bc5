/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks whose bytes are all the same: when they come as BLOCK_CONSTANT, when that takes no
 * decoding, and what must never be taken for one. Frames are built here block by block, so that
 * what is stored is known to the byte.
 */
#include "zarr_fixture.h"

#include "common/bytes.h"
#include "tests/unit/shuffling.h"

#include <blosc.h>

#define UNSHUFFLED 0x90 /* zstd; a block is one stream */
#define SHUFFLED   0x91
#define PLANES     0x94

/* Stored, its four length bytes included, in no more than this, a constant is remembered. */
#define STORED_MAX 128

#define ANY_FORM (BLOCK_MAY_BE_PLANES | BLOCK_MAY_BE_CONSTANT)

#define NBYTES 65536

static const uint64_t first[ZARR_DIMS_MAX];

static int setup(void **state)
{
    static struct fixture fix;

    make_dir(&fix);
    put_text(&fix, ".zgroup", "{\"zarr_format\":2}");
    open_path(&fix, fix.dir);
    *state = &fix;
    return 0;
}

static int teardown(void **state)
{
    close_fixture(*state);
    return 0;
}

/* A new array of one chunk of n elements. */
static struct zarr_array *make_array(struct fixture *fix, const char *dtype, uint64_t n, int fill)
{
    static unsigned narrays;
    char key[32], json[512];

    snprintf(key, sizeof key, "x%u/.zarray", ++narrays);
    snprintf(
        json, sizeof json,
        "{\"zarr_format\":2,\"shape\":[%llu],\"chunks\":[%llu],\"dtype\":\"%s\",\"order\":\"C\","
        "\"compressor\":{\"id\":\"blosc\"},\"filters\":null,\"fill_value\":%d}",
        (unsigned long long)n, (unsigned long long)n, dtype, fill);
    put_text(fix, key, json);
    *strchr(key, '/') = '\0';
    return open_array(fix, key);
}

static struct chunk *open_chunk(struct fixture *fix, const struct zarr_array *array)
{
    struct chunk *chunk;
    struct err err = {0};

    if (decoder_chunk(fix->decoder, array, first, &chunk, &err) != 0)
        fail_msg("%s", err.msg);
    return chunk;
}

static void put_frame(struct fixture *fix, const struct zarr_array *array, const uint8_t *frame,
                      size_t n)
{
    char key[64];

    snprintf(key, sizeof key, "%s/0", array->name);
    put_file(fix, key, frame, n);
}

/* An array of one-byte elements whose chunk is one block, stored in `flags` as these bytes after
 * its length. */
static struct zarr_array *one_block(struct fixture *fix, uint8_t flags, uint8_t typesize,
                                    uint32_t nbytes, const uint8_t *stored, uint32_t nstored)
{
    struct zarr_array *array = make_array(fix, "|u1", nbytes, 0);
    uint8_t frame[1024] = {2, 1, flags, typesize};

    assert_true(24 + nstored <= sizeof frame);
    put_le32(frame + 4, nbytes);
    put_le32(frame + 8, nbytes);
    put_le32(frame + 12, 24 + nstored);
    put_le32(frame + 16, 20);
    put_le32(frame + 20, nstored);
    memcpy(frame + 24, stored, nstored);
    put_frame(fix, array, frame, 24 + nstored);
    return array;
}

static void expand(const struct block *block, uint8_t *out)
{
    switch (block->form) {
    case BLOCK_PLAIN:
        memcpy(out, block->data, block->nbytes);
        return;
    case BLOCK_CONSTANT:
        memset(out, *block->data, block->nbytes);
        return;
    case BLOCK_PLANES:
        unshuffle(&block->planes, out);
    }
}

/* Has the block, and holds it against its plain form, or `due` where that is known; says whether it
 * was decoded. */
static bool get(struct fixture *fix, struct chunk *chunk, uint64_t i, unsigned forms,
                const uint8_t *due, struct block *block)
{
    static uint8_t got[NBYTES];
    struct decoder_stats before, after;
    struct err err = {0};

    decoder_stats(fix->decoder, &before);
    if (decoder_block_as(fix->decoder, chunk, i, forms, block, &err) != 0)
        fail_msg("%s", err.msg);
    decoder_stats(fix->decoder, &after);
    assert_true(block->form != BLOCK_CONSTANT || (forms & BLOCK_MAY_BE_CONSTANT) != 0);
    assert_true(block->form != BLOCK_PLANES || (forms & BLOCK_MAY_BE_PLANES) != 0);
    expand(block, got);
    assert_memory_equal(got, due, block->nbytes);
    assert_int_equal(after.bytes_decoded - before.bytes_decoded,
                     after.blocks > before.blocks ? block->nbytes : 0);
    return after.blocks > before.blocks;
}

/* Block 0 of the array, which is freed. */
static bool get_first(struct fixture *fix, struct zarr_array *array, unsigned forms,
                      const uint8_t *due, struct block *block)
{
    const bool decoded = get(fix, open_chunk(fix, array), 0, forms, due, block);

    zarr_array_free(array);
    return decoded;
}

static void test_absent(void **state)
{
    static const struct {
        const char *dtype;
        int fill;
        uint8_t byte;
    } cases[] = {{"|i1", 7, 7}, {"|i1", -1, 0xff}, {"|u1", 200, 200}, {"|i1", 0, 0}};
    struct fixture *fix = *state;
    uint8_t due[1000];
    struct block block;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zarr_array *array = make_array(fix, cases[i].dtype, sizeof due, cases[i].fill);
        struct chunk *chunk = open_chunk(fix, array);

        memset(due, cases[i].byte, sizeof due);
        assert_true(chunk_is_absent(chunk));
        assert_false(get(fix, chunk, 0, BLOCK_MAY_BE_CONSTANT, due, &block));
        assert_int_equal(block.form, BLOCK_CONSTANT);
        assert_int_equal(block.nbytes, sizeof due);
        assert_true(get(fix, chunk, 0, BLOCK_MAY_BE_PLANES, due, &block));
        assert_int_equal(block.form, BLOCK_PLAIN);
        zarr_array_free(array);
    }
}

/* Of elements of two bytes no block is constant, whatever its bytes are. */
static void test_wide(void **state)
{
    struct fixture *fix = *state;
    struct zarr_array *absent = make_array(fix, "<i2", 500, -1);
    struct zarr_array *array = make_array(fix, "<i2", 500, 0);
    uint8_t due[1000], frame[1000 + BLOSC_MAX_OVERHEAD];
    struct block block;
    int n;

    memset(due, 0xff, sizeof due);
    n = blosc_compress_ctx(5, 2, 2, sizeof due, due, frame, sizeof frame, "zstd", 0, 1);
    assert_true(n > 0);
    put_frame(fix, array, frame, (size_t)n);
    assert_true(get_first(fix, absent, ANY_FORM, due, &block));
    assert_int_equal(block.form, BLOCK_PLAIN);
    for (int again = 0; again < 2; again++) {
        assert_true(get(fix, open_chunk(fix, array), 0, ANY_FORM, due, &block));
        assert_int_equal(block.form, BLOCK_PLAIN);
    }
    zarr_array_free(array);
}

/* The first of several is decoded, the rest are known by it; so are those of another array. */
static void test_stored_alike(void **state)
{
    static const uint8_t values[] = {0, 1, 0xff, 0x55};
    struct fixture *fix = *state;
    uint8_t due[8000], frame[8000 + BLOSC_MAX_OVERHEAD];
    struct block block;

    for (unsigned i = 0; i < 4 * 3 * 2; i++) {
        const uint8_t value = values[i % 4];
        const int shuffle = (int)(i / 4 % 3);
        const unsigned forms = BLOCK_MAY_BE_CONSTANT | (i >= 12 ? BLOCK_MAY_BE_PLANES : 0);
        int n;

        memset(due, value, sizeof due);
        n = blosc_compress_ctx(5, shuffle, 1, sizeof due, due, frame, sizeof frame, "zstd", 1000,
                               1);
        assert_true(n > 0);
        /* So that what another round left is not known. */
        decoder_free(fix->decoder);
        fix->decoder = decoder_new((size_t)1 << 20, NULL);
        for (unsigned copy = 0; copy < 2; copy++) {
            struct zarr_array *array = make_array(fix, "|u1", sizeof due, 0);
            struct chunk *chunk;

            put_frame(fix, array, frame, (size_t)n);
            chunk = open_chunk(fix, array);
            assert_true(chunk_nblocks(chunk) >= 4);
            for (uint64_t b = 0; b + 1 < chunk_nblocks(chunk); b++) {
                assert_int_equal(get(fix, chunk, b, forms, due, &block), b == 0 && copy == 0);
                assert_int_equal(block.form, BLOCK_CONSTANT);
                assert_int_equal(*block.data, value);
            }
            zarr_array_free(array);
        }
    }
}

/* Makes a block of `n` times this byte, as it is stored, the last constant one. */
static void know(struct fixture *fix, uint8_t flags, uint8_t stored, uint32_t n)
{
    uint8_t bytes[STORED_MAX], due[STORED_MAX];
    struct block block;

    memset(bytes, stored, n);
    memset(due, stored, n);
    get_first(fix, one_block(fix, flags, 1, n, bytes, n), ANY_FORM, due, &block);
    assert_int_equal(block.form, BLOCK_CONSTANT);
    assert_false(get_first(fix, one_block(fix, flags, 1, n, bytes, n), ANY_FORM, due, &block));
    assert_int_equal(block.form, BLOCK_CONSTANT);
}

/* All but one thing about a block is as it is with a constant that is known. */
static void test_differing(void **state)
{
    struct fixture *fix = *state;
    uint8_t stored[72], due[72];
    struct block block;

    memset(stored, 1, sizeof stored);
    memset(due, 1, sizeof due);
    /* Size, and element size, which change nothing here but that. */
    know(fix, UNSHUFFLED, 1, 64);
    assert_true(
        get_first(fix, one_block(fix, UNSHUFFLED, 1, 72, stored, 72), ANY_FORM, due, &block));
    know(fix, UNSHUFFLED, 1, 64);
    assert_true(
        get_first(fix, one_block(fix, UNSHUFFLED, 2, 64, stored, 64), ANY_FORM, due, &block));
    /* Flags: another shuffle, and in another way of reading it another content. */
    know(fix, UNSHUFFLED, 1, 64);
    assert_true(get_first(fix, one_block(fix, SHUFFLED, 1, 64, stored, 64), ANY_FORM, due, &block));
    know(fix, UNSHUFFLED, 1, 64);
    for (size_t i = 0; i < 64; i++)
        due[i] = i % 8 == 0 ? 0xff : 0;
    assert_true(get_first(fix, one_block(fix, PLANES, 1, 64, stored, 64), ANY_FORM, due, &block));
    assert_int_equal(block.form, BLOCK_PLANES);
    /* Any one byte, be it the last. */
    know(fix, UNSHUFFLED, 1, 64);
    memset(due, 1, sizeof due);
    for (size_t i = 0; i < 64; i++) {
        stored[i] = due[i] = 0;
        assert_true(
            get_first(fix, one_block(fix, UNSHUFFLED, 1, 64, stored, 64), ANY_FORM, due, &block));
        assert_int_equal(block.form, BLOCK_PLAIN);
        stored[i] = due[i] = 1;
    }
}

/* The stored bytes of a known constant do not make a block of another size. */
static void test_not_that_long(void **state)
{
    struct fixture *fix = *state;
    uint8_t zeros[256] = {0}, frame[256 + BLOSC_MAX_OVERHEAD];
    struct zarr_array *array;
    struct block block;
    struct err err = {0};
    uint32_t nstored;
    int n = blosc_compress_ctx(5, 2, 1, 256, zeros, frame, sizeof frame, "zstd", 256, 1);

    assert_true(n > 24);
    nstored = get_le32(frame + 20);
    for (unsigned copy = 0; copy < 2; copy++) {
        array = one_block(fix, frame[2], 1, 256, frame + 24, nstored);
        assert_int_equal(get_first(fix, array, ANY_FORM, zeros, &block), copy == 0);
        assert_int_equal(block.form, BLOCK_CONSTANT);
    }
    array = one_block(fix, frame[2], 1, 264, frame + 24, nstored);
    assert_int_equal(
        decoder_block_as(fix->decoder, open_chunk(fix, array), 0, ANY_FORM, &block, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    zarr_array_free(array);
}

/* Constant as they are, blocks that are stored in too many bytes are decoded each time. */
static void test_stored_at_length(void **state)
{
    struct fixture *fix = *state;
    uint8_t stored[256], due[256];
    struct block block;

    memset(due, 0x81, sizeof due);
    for (uint32_t n = 64; n <= 256; n += 8) {
        const bool known = n + 4 <= STORED_MAX;

        for (uint32_t p = 0; p < 8; p++)
            memset(stored + p * n / 8, p == 0 || p == 7 ? 0xff : 0, n / 8);
        for (unsigned again = 0; again < 2; again++) {
            assert_int_equal(
                get_first(fix, one_block(fix, PLANES, 1, n, stored, n), ANY_FORM, due, &block),
                !known || again == 0);
            assert_int_equal(block.form, known ? BLOCK_CONSTANT : BLOCK_PLANES);
        }
    }
    for (uint32_t n = STORED_MAX - 8; n <= STORED_MAX; n++)
        for (unsigned again = 0; again < 2; again++) {
            const bool known = n + 4 <= STORED_MAX;

            assert_int_equal(
                get_first(fix, one_block(fix, UNSHUFFLED, 1, n, due, n), ANY_FORM, due, &block),
                !known || again == 0);
            assert_int_equal(block.form, known ? BLOCK_CONSTANT : BLOCK_PLAIN);
        }
}

/* Who does not ask for constants gets none, known or not. */
static void test_not_asked_for(void **state)
{
    struct fixture *fix = *state;
    uint8_t stored[64], due[64];
    struct block block;

    for (unsigned i = 0; i < 2; i++) {
        const uint8_t flags = i == 0 ? UNSHUFFLED : PLANES;

        memset(stored, 0xff, sizeof stored);
        memset(due, 0xff, sizeof due);
        know(fix, flags, 0xff, 64);
        assert_true(get_first(fix, one_block(fix, flags, 1, 64, stored, 64), 0, due, &block));
        assert_int_equal(block.form, BLOCK_PLAIN);
        assert_true(get_first(fix, one_block(fix, flags, 1, 64, stored, 64), BLOCK_MAY_BE_PLANES,
                              due, &block));
        assert_int_equal(block.form, i == 0 ? BLOCK_PLAIN : BLOCK_PLANES);
    }
}

/* Runs of one of a few values, so that constants come again; now and then one byte is another, or
 * all are noise. */
static void make_data(uint8_t *data, uint32_t n, uint32_t run)
{
    for (uint32_t at = 0; at < n; at += run) {
        const uint32_t here = n - at < run ? n - at : run;
        const int kind = rand() % 8;

        memset(data + at, rand() % 3 - 1, here);
        if (kind == 0)
            data[at + (uint32_t)rand() % here] ^= (uint8_t)(1 << rand() % 8);
        for (uint32_t i = 0; kind == 1 && i < here; i++)
            data[at + i] = (uint8_t)(rand() % 2);
    }
}

struct tally {
    unsigned constants, undecoded, others;
};

/* A chunk's blocks, in any order, in any form. */
static void check_chunk(struct fixture *fix, struct zarr_array *array, const uint8_t *data,
                        struct tally *tally)
{
    struct chunk *chunk = open_chunk(fix, array);
    struct block block;

    for (uint64_t i = 0; i < 3 * chunk_nblocks(chunk); i++) {
        const uint64_t b = (uint64_t)rand() % chunk_nblocks(chunk);
        const uint8_t *due = data + b * chunk_block_size(chunk);
        const unsigned forms = (unsigned)rand() % (ANY_FORM + 1);
        const bool decoded = get(fix, chunk, b, forms, due, &block);

        assert_true(decoded || block.form == BLOCK_CONSTANT);
        tally->constants += block.form == BLOCK_CONSTANT;
        tally->undecoded += !decoded;
        tally->others += block.form != BLOCK_CONSTANT;
    }
}

static void test_any_blocks(void **state)
{
    static const char *const compressors[] = {"zstd", "lz4", "blosclz", "zlib"};
    static const unsigned typesizes[] = {1, 1, 1, 2, 3, 4};
    static uint8_t data[NBYTES], frame[NBYTES + BLOSC_MAX_OVERHEAD];
    struct fixture *fix = *state;
    struct tally tally = {0};

    srand(11);
    for (unsigned round = 0; round < 600; round++) {
        const uint32_t block_size = 128u << rand() % 4, n = 2048 + (uint32_t)rand() % 6000;
        struct zarr_array *array = make_array(fix, "|u1", n, 0);
        int size;

        make_data(data, n, block_size);
        size = blosc_compress_ctx(1 + rand() % 9, rand() % 3, typesizes[rand() % 6], n, data, frame,
                                  sizeof frame, compressors[rand() % 4], block_size, 1);
        assert_true(size > 0);
        put_frame(fix, array, frame, (size_t)size);
        check_chunk(fix, array, data, &tally);
        zarr_array_free(array);
    }
    if (tally.constants < 1000 || tally.undecoded < 1000 || tally.others < 1000)
        fail_msg("%u constants, %u not decoded, %u others", tally.constants, tally.undecoded,
                 tally.others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absent),        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_stored_alike),  cmocka_unit_test(test_differing),
        cmocka_unit_test(test_not_that_long), cmocka_unit_test(test_stored_at_length),
        cmocka_unit_test(test_not_asked_for), cmocka_unit_test(test_any_blocks),
    };

    return cmocka_run_group_tests_name("zarr_constant", tests, setup, teardown);
}
