/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks of every layout and dtype, written here byte by byte, and chunks that lie.
 */
#include "encoderd/zarr/chunk/warm.h"
#include "zarr_fixture.h"

#include "common/bytes.h"
#include "common/crc32c.h"
#include "encoderd/zarr/meta/floats.h"

#include <blosc.h>
#include <libdeflate.h>
#include <math.h>
#include <zstd.h>

static struct fixture fix;

static int setup(void **state)
{
    (void)state;
    make_dir(&fix);
    put_text(&fix, ".zgroup", "{\"zarr_format\":2}");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_fixture(&fix);
    return 0;
}

/* Describes the array "x" and opens it; a v2 array of one dimension. */
static struct zarr_array *make_array(uint64_t shape, uint64_t chunk, const char *dtype,
                                     const char *rest)
{
    char json[1024];

    snprintf(json, sizeof json,
             "{\"zarr_format\":2,\"shape\":[%llu],\"chunks\":[%llu],\"dtype\":\"%s\","
             "\"order\":\"C\",%s}",
             (unsigned long long)shape, (unsigned long long)chunk, dtype, rest);
    put_text(&fix, "x/.zarray", json);
    if (fix.store == NULL)
        open_path(&fix, fix.dir);
    return open_array(&fix, "x");
}

#define RAW  "\"compressor\":null,\"filters\":null,\"fill_value\":0"
#define VLEN "\"compressor\":null,\"filters\":[{\"id\":\"vlen-utf8\"}],\"fill_value\":\"\""

static const uint64_t first[ZARR_DIMS_MAX];

static void expect_ints(const struct zarr_array *array, const int64_t *expected, size_t n)
{
    int64_t *got = calloc(n, sizeof *got);
    struct err err = {0};

    if (zarr_chunk_ints(fix.decoder, array, first, got, &err) != 0)
        fail_msg("%s", err.msg);
    assert_memory_equal(got, expected, n * sizeof *got);
    free(got);
}

static void expect_bad_ints(const struct zarr_array *array, enum err_code code, const char *word)
{
    int64_t *got = calloc(array->meta.chunk_elements, sizeof *got);
    struct err err = {0};

    assert_int_equal(zarr_chunk_ints(fix.decoder, array, first, got, &err), -1);
    if (err.code != code || strstr(err.msg, word) == NULL || strstr(err.msg, fix.dir) == NULL)
        fail_msg("%s: %s", err_code_name(err.code), err.msg);
    free(got);
}

/* Chunks are kept open, so a rewritten one needs a fresh look. */
static void put_chunk(const void *data, size_t n)
{
    if (fix.decoder != NULL)
        decoder_trim(fix.decoder);
    put_file(&fix, "x/0", data, n);
}

static void test_ints(void **state)
{
    static const struct {
        const char *dtype;
        uint8_t bytes[16];
        int64_t expected[2];
        size_t size;
    } cases[] = {
        {"|i1", {0xff, 0x7f}, {-1, 127}, 1},
        {"|u1", {0xff, 0x7f}, {255, 127}, 1},
        {"|b1", {1, 0}, {1, 0}, 1},
        {"<i2", {0xfe, 0xff, 1, 2}, {-2, 0x201}, 2},
        {">i2", {0xff, 0xfe, 1, 2}, {-2, 0x102}, 2},
        {"<u2", {0xfe, 0xff, 1, 2}, {0xfffe, 0x201}, 2},
        {">i4", {0xff, 0xff, 0xff, 0xfe, 1, 2, 3, 4}, {-2, 0x1020304}, 4},
        {"<u4", {0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, {0xffffffff, 0x4030201}, 4},
        {">u8", {0, 0, 0, 0, 0, 0, 1, 2, 0x7f}, {0x102, 0x7f00000000000000}, 8},
        {"<i8", {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 9}, {-2, 9}, 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zarr_array *array = make_array(2, 2, cases[i].dtype, RAW);

        put_chunk(cases[i].bytes, 2 * cases[i].size);
        expect_ints(array, cases[i].expected, 2);
        zarr_array_free(array);
    }
}

static void test_bad_ints(void **state)
{
    struct zarr_array *array = make_array(1, 1, "|b1", RAW);

    (void)state;
    put_chunk("\x02", 1);
    expect_bad_ints(array, ERR_CORRUPT, "x/0");
    put_chunk("\x01\x01", 2);
    expect_bad_ints(array, ERR_CORRUPT, "2 bytes");
    put_chunk("", 0);
    expect_bad_ints(array, ERR_CORRUPT, "0 bytes");
    zarr_array_free(array);
    array = make_array(1, 1, "<u8", RAW);
    put_chunk("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    expect_bad_ints(array, ERR_CORRUPT, "x/0");
    zarr_array_free(array);
}

static void test_raw_pieces(void **state)
{
    size_t n = 300001;
    uint8_t *bytes = malloc(n * 2);
    struct zarr_array *array = make_array(n, n, ">i2", RAW);
    int64_t *expected = calloc(n, sizeof *expected);
    struct chunk *chunk;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        expected[i] = (int16_t)(i * 7);
        bytes[2 * i] = (uint8_t)(i * 7 >> 8);
        bytes[2 * i + 1] = (uint8_t)(i * 7);
    }
    put_chunk(bytes, n * 2);
    expect_ints(array, expected, n);
    assert_int_equal(decoder_chunk(fix.decoder, array, first, &chunk, NULL), 0);
    assert_true(chunk_nblocks(chunk) > 2);
    assert_int_equal(chunk_block_size(chunk) % 16, 0);
    free(bytes);
    free(expected);
    zarr_array_free(array);
}

/* Blosc with an element size that is not the array's: elements straddle blocks. */
static void test_straddling(void **state)
{
    size_t n = 40000;
    int32_t *values = calloc(n, sizeof *values);
    int64_t *expected = calloc(n, sizeof *expected);
    uint8_t *frame = malloc(n * 4 + 16);
    struct zarr_array *array = make_array(
        n, n, "<i4", "\"compressor\":{\"id\":\"blosc\"},\"filters\":null,\"fill_value\":0");
    struct chunk *chunk;
    int size;

    (void)state;
    for (size_t i = 0; i < n; i++)
        expected[i] = values[i] = (int32_t)(i / 3);
    size = blosc_compress_ctx(5, 1, 3, n * 4, values, frame, n * 4 + 16, "zstd", 3003, 1);
    assert_true(size > 0);
    assert_true(get_le32(frame + 8) % 4 != 0 && get_le32(frame + 8) < n * 4);
    put_chunk(frame, (size_t)size);
    expect_ints(array, expected, n);
    assert_int_equal(decoder_chunk(fix.decoder, array, first, &chunk, NULL), 0);
    assert_int_equal(chunk_block_size(chunk) % 4, 0);
    assert_true(chunk_nblocks(chunk) > 2);
    size = blosc_compress_ctx(0, 1, 4, n * 4, values, frame, n * 4 + 16, "zstd", 0, 1);
    put_chunk(frame, (size_t)size);
    expect_ints(array, expected, n);
    frame[20] ^= 1;
    put_chunk(frame, (size_t)size - 1);
    expect_bad_ints(array, ERR_CORRUPT, "x/0");
    free(values);
    free(expected);
    free(frame);
    zarr_array_free(array);
}

static void test_absent(void **state)
{
    struct zarr_array *array = make_array(1000003, 1000003, "<i2",
                                          "\"compressor\":null,\"filters\":null,\"fill_value\":-2");
    int64_t *expected = calloc(1000003, sizeof *expected);
    char path[512];
    struct chunk *chunk;

    (void)state;
    decoder_trim(fix.decoder);
    snprintf(path, sizeof path, "%s/x/0", fix.dir);
    unlink(path);
    for (size_t i = 0; i < 1000003; i++)
        expected[i] = -2;
    expect_ints(array, expected, 1000003);
    assert_int_equal(decoder_chunk(fix.decoder, array, first, &chunk, NULL), 0);
    assert_true(chunk_is_absent(chunk));
    /* Of an array that is no longer there, nothing is absent. */
    decoder_trim(fix.decoder);
    snprintf(path, sizeof path, "%s/x/.zarray", fix.dir);
    unlink(path);
    expect_bad_ints(array, ERR_CHANGED, "x/.zarray");
    free(expected);
    zarr_array_free(array);
}

static bool is_absent(struct chunk_table *table, const struct zarr_array *array)
{
    struct decoder *decoder = decoder_new(1 << 20, NULL);
    struct chunk *chunk;
    bool absent;

    decoder_share(decoder, table);
    assert_int_equal(decoder_chunk(decoder, array, first, &chunk, NULL), 0);
    absent = chunk_is_absent(chunk);
    decoder_free(decoder);
    return absent;
}

/* Until it is told to forget, a table remembers that a chunk is absent. */
static void test_absent_no_more(void **state)
{
    struct zarr_array *array = make_array(5, 5, "|i1", RAW);
    struct chunk_table *table = chunk_table_new(NULL);
    char path[512];

    (void)state;
    snprintf(path, sizeof path, "%s/x/0", fix.dir);
    unlink(path);
    chunk_warm(table, array, first);
    put_chunk("abcde", 5);
    assert_true(is_absent(table, array));
    chunk_table_forget_absent(table);
    assert_false(is_absent(table, array));
    chunk_table_free(table);
    zarr_array_free(array);
}

static void test_index(void **state)
{
    struct zarr_array *array = make_array(5, 2, "|i1", RAW);
    struct chunk *chunk;
    struct block block;
    struct err err = {0};

    (void)state;
    assert_int_equal(decoder_chunk(fix.decoder, array, (uint64_t[]){3}, &chunk, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    put_chunk("ab", 2);
    assert_int_equal(decoder_chunk(fix.decoder, array, first, &chunk, &err), 0);
    assert_int_equal(decoder_block(fix.decoder, chunk, 1, false, &block, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    zarr_array_free(array);
}

/* An array freed and another made at its address must not be served the first one's chunks. */
static void test_cache(void **state)
{
    struct zarr_array *array;
    struct decoder_stats before, after;
    struct err err = {0};

    (void)state;
    for (char name = 'a'; name <= 'z'; name++) {
        char key[16], json[512];
        int64_t got;

        snprintf(key, sizeof key, "many_%c/.zarray", name);
        snprintf(json, sizeof json,
                 "{\"zarr_format\":2,\"shape\":[4],\"chunks\":[1],\"dtype\":\"|i1\","
                 "\"order\":\"C\"," RAW "}");
        put_text(&fix, key, json);
        for (char c = '0'; c < '4'; c++) {
            snprintf(key, sizeof key, "many_%c/%c", name, c);
            put_file(&fix, key, (char[]){(char)(name + c)}, 1);
        }
        snprintf(key, sizeof key, "many_%c", name);
        array = open_array(&fix, key);
        for (uint64_t c = 0; c < 4; c++) {
            assert_int_equal(zarr_chunk_ints(fix.decoder, array, &c, &got, &err), 0);
            assert_int_equal(got, (int8_t)(name + '0' + (char)c));
        }
        zarr_array_free(array);
    }
    array = open_array(&fix, "many_z");
    decoder_stats(fix.decoder, &before);
    assert_int_equal(zarr_chunk_ints(fix.decoder, array, first, &(int64_t){0}, &err), 0);
    decoder_stats(fix.decoder, &after);
    assert_int_equal(after.blocks - before.blocks, 1);
    assert_int_equal(after.bytes_read - before.bytes_read, 1);
    assert_int_equal(after.bytes_decoded - before.bytes_decoded, 1);
    zarr_array_free(array);
}

static void test_scratch_max(void **state)
{
    struct zarr_array *array = make_array(100000, 100000, "|i1", RAW);
    struct decoder *small = decoder_new(4096, NULL);
    uint8_t *bytes = calloc(1, 100000);
    struct chunk *chunk;
    struct block block;
    struct err err = {0};

    (void)state;
    put_chunk(bytes, 100000);
    assert_int_equal(decoder_chunk(small, array, first, &chunk, &err), 0);
    assert_int_equal(decoder_block(small, chunk, 0, false, &block, &err), -1);
    assert_int_equal(err.code, ERR_BUDGET);
    assert_non_null(strstr(err.msg, "--memory"));
    decoder_free(small);
    free(bytes);
    zarr_array_free(array);
}

static void expect_strings(const struct zarr_array *array, const char *const *expected, size_t n)
{
    struct strings got = {0};
    struct err err = {0};

    if (zarr_chunk_strings(fix.decoder, array, first, &got, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(got.nitems, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(got.items[i].len, strlen(expected[i]));
        assert_memory_equal(got.items[i].at, expected[i], got.items[i].len);
    }
    strings_free(&got);
}

static void expect_bad_strings(const struct zarr_array *array)
{
    struct strings got = {0};
    struct err err = {0};

    assert_int_equal(zarr_chunk_strings(fix.decoder, array, first, &got, &err), -1);
    if (err.code != ERR_CORRUPT || strstr(err.msg, "x/0") == NULL)
        fail_msg("%s: %s", err_code_name(err.code), err.msg);
    strings_free(&got);
}

static void test_fixed_strings(void **state)
{
    struct zarr_array *array = make_array(3, 3, "|S4", RAW);

    (void)state;
    put_chunk("ab\0\0\0\0\0\0abcd", 12);
    expect_strings(array, (const char *const[]){"ab", "", "abcd"}, 3);
    put_chunk("ab\0\0\xff\0\0\0abcd", 12);
    expect_bad_strings(array);
    zarr_array_free(array);
    array = make_array(2, 2, "<U2", RAW);
    put_chunk("\xe9\0\0\0\0\0\0\0\x00\xf6\x01\0z\0\0\0", 16);
    expect_strings(array, (const char *const[]){"\u00e9", "\U0001f600z"}, 2);
    put_chunk("\0\xd8\0\0\0\0\0\0\x00\xf6\x01\0z\0\0\0", 16);
    expect_bad_strings(array);
    zarr_array_free(array);
    array = make_array(2, 2, ">U2", RAW);
    put_chunk("\0\0\0\xe9\0\0\0\0\0\0\0a\0\0\0z", 16);
    expect_strings(array, (const char *const[]){"\u00e9", "az"}, 2);
    put_chunk("\0\0\0\xe9\0\x11\0\0\0\0\0a\0\0\0z", 16);
    expect_bad_strings(array);
    zarr_array_free(array);
}

static void test_vlen(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {
        {"", 0},
        {"\2\0\0", 3},
        {"\1\0\0\0\1\0\0\0a", 9},
        {"\3\0\0\0\1\0\0\0a\0\0\0\0\0\0\0\0", 17},
        {"\2\0\0\0\1\0\0\0a", 9},
        {"\2\0\0\0\1\0\0\0a\1\0\0\0", 13},
        {"\2\0\0\0\1\0\0\0a\xff\xff\xff\xff", 13},
        {"\2\0\0\0\xff\xff\xff\xff"
         "a\0\0\0\0",
         13},
        {"\2\0\0\0\1\0\0\0\xff\0\0\0\0", 13},
        {"\2\0\0\0\2\0\0\0\xc0\x80\0\0\0\0", 14},
        {"\2\0\0\0\3\0\0\0\xed\xa0\x80\0\0\0\0", 15},
        {"\2\0\0\0\1\0\0\0a\0\0\0\0!", 14},
    };
    struct zarr_array *array = make_array(2, 2, "|O", VLEN);

    (void)state;
    put_chunk("\2\0\0\0\1\0\0\0a\0\0\0\0", 13);
    expect_strings(array, (const char *const[]){"a", ""}, 2);
    put_chunk("\2\0\0\0\0\0\0\0\4\0\0\0\xf0\x9f\x98\x80", 16);
    expect_strings(array, (const char *const[]){"", "\U0001f600"}, 2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put_chunk(bad[i].bytes, bad[i].n);
        expect_bad_strings(array);
    }
    zarr_array_free(array);
    array = make_array(1 << 30, 1 << 30, "|O", VLEN);
    expect_bad_strings(array);
    zarr_array_free(array);
}

static void test_absent_strings(void **state)
{
    struct zarr_array *array =
        make_array(3, 2, "|S4", "\"compressor\":null,\"filters\":null,\"fill_value\":\"LgAAAA==\"");
    struct strings all = {0};
    struct err err = {0};
    char path[512];

    (void)state;
    put_chunk("ab\0\0\0\0\0\0", 8);
    snprintf(path, sizeof path, "%s/x/1", fix.dir);
    unlink(path);
    assert_int_equal(zarr_array_strings(fix.decoder, array, &all, &err), 0);
    assert_int_equal(all.nitems, 3);
    assert_memory_equal(all.items[0].at, "ab", all.items[0].len);
    assert_int_equal(all.items[1].len, 0);
    assert_int_equal(all.items[2].len, 1);
    assert_memory_equal(all.items[2].at, ".", 1);
    strings_free(&all);
    zarr_array_free(array);
}

/* Compressed strings of a size that the frame does not say: the room grows as it must. */
static void test_unknown_size(void **state)
{
    size_t n = 4 + 4 + 500000, room = 100000;
    uint8_t *plain = calloc(1, n), *packed = malloc(room);
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(6);
    struct strings got = {0};
    struct err err = {0};
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    struct zarr_array *array;
    size_t size;

    (void)state;
    put_le32(plain, 1);
    put_le32(plain + 4, 500000);
    memset(plain + 8, 'A', 500000);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 0);
    array = make_array(1, 1, "|O",
                       "\"compressor\":{\"id\":\"zstd\"},\"filters\":[{\"id\":\"vlen-utf8\"}],"
                       "\"fill_value\":\"\"");
    size = ZSTD_compress2(zstd, packed, room, plain, n);
    put_chunk(packed, size);
    assert_int_equal(zarr_chunk_strings(fix.decoder, array, first, &got, &err), 0);
    assert_int_equal(got.items[0].len, 500000);
    put_chunk(packed, size - 1);
    expect_bad_strings(array);
    zarr_array_free(array);
    array = make_array(1, 1, "|O",
                       "\"compressor\":{\"id\":\"gzip\"},\"filters\":[{\"id\":\"vlen-utf8\"}],"
                       "\"fill_value\":\"\"");
    /* Two members in a row. */
    size = libdeflate_gzip_compress(deflate, plain, 1000, packed, room);
    size += libdeflate_gzip_compress(deflate, plain + 1000, n - 1000, packed + size, room - size);
    put_chunk(packed, size);
    assert_int_equal(zarr_chunk_strings(fix.decoder, array, first, &got, &err), 0);
    assert_int_equal(got.items[0].len, 500000);
    put_chunk(packed, size - 1);
    expect_bad_strings(array);
    zarr_array_free(array);
    strings_free(&got);
    libdeflate_free_compressor(deflate);
    ZSTD_freeCCtx(zstd);
    free(plain);
    free(packed);
}

/* A v3 array with several codecs in a row, transposed. */
static void test_v3_chain(void **state)
{
    static const uint8_t plain[] = {0, 3, 1, 4, 2, 5}; /* 2 × 3, column-major */
    uint8_t a[256], b[256];
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(6);
    struct fixture outer = fix;
    struct zarr_array *array;
    size_t n;

    (void)state;
    make_dir(&fix);
    put_text(&fix, "zarr.json", "{\"zarr_format\":3,\"node_type\":\"group\"}");
    put_text(&fix, "x/zarr.json",
             "{\"zarr_format\":3,\"node_type\":\"array\",\"shape\":[2,3],\"data_type\":\"uint8\","
             "\"chunk_grid\":{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":[2,3]}},"
             "\"chunk_key_encoding\":{\"name\":\"v2\"},\"fill_value\":0,\"codecs\":["
             "{\"name\":\"transpose\",\"configuration\":{\"order\":[1,0]}},\"bytes\",\"crc32c\","
             "\"zstd\",\"crc32c\",\"gzip\",\"crc32c\"]}");
    open_path(&fix, fix.dir);
    array = open_array(&fix, "x");
    memcpy(a, plain, 6);
    put_le32(a + 6, crc32c(a, 6));
    n = ZSTD_compress(b, sizeof b, a, 10, 1);
    put_le32(b + n, crc32c(b, n));
    n = libdeflate_gzip_compress(deflate, b, n + 4, a, sizeof a);
    put_le32(a + n, crc32c(a, n));
    put_file(&fix, "x/0.0", a, n + 4);
    expect_ints(array, (int64_t[]){0, 1, 2, 3, 4, 5}, 6);
    for (size_t i = 0; i < n + 4; i++) {
        a[i] ^= 0x10;
        decoder_trim(fix.decoder);
        put_file(&fix, "x/0.0", a, n + 4);
        expect_bad_ints(array, ERR_CORRUPT, "crc32c");
        a[i] ^= 0x10;
    }
    zarr_array_free(array);
    libdeflate_free_compressor(deflate);
    close_fixture(&fix);
    fix = outer;
}

static void check_floats(const char *dtype, const void *bytes, size_t n)
{
    struct zarr_array *array = make_array(6, 6, dtype, RAW);
    double got[6];
    uint8_t kinds[6];
    struct err err = {0};

    put_chunk(bytes, n);
    assert_int_equal(chunk_floats(fix.decoder, array, first, got, kinds, &err), 0);
    assert_true(got[0] == 1.5 && got[1] == -0.25);
    assert_true(isnan(got[2]) && isnan(got[3]) && isnan(got[4]) && isinf(got[5]));
    assert_memory_equal(kinds,
                        ((uint8_t[]){ZARR_FLOAT_VALUE, ZARR_FLOAT_VALUE, ZARR_FLOAT_MISSING,
                                     ZARR_FLOAT_FILL, ZARR_FLOAT_VALUE, ZARR_FLOAT_VALUE}),
                        6);
    assert_int_equal(zarr_chunk_ints(fix.decoder, array, first, (int64_t[6]){0}, &err), -1);
    assert_int_equal(err.code, ERR_DATA);
    zarr_array_free(array);
}

static void test_floats(void **state)
{
    static const uint64_t wide[] = {0x3ff8000000000000, 0xbfd0000000000000, 0x7ff0000000000001,
                                    0x7ff8000040000000, 0x7ff8000000000000, 0x7ff0000000000000};

    (void)state;
    check_floats("<f2", "\0\x3e\0\xb4\1\x7c\2\x7e\0\x7e\0\x7c", 12);
    check_floats(">f2", "\x3e\0\xb4\0\x7c\1\x7e\2\x7e\0\x7c\0", 12);
    check_floats("<f4", "\0\0\xc0\x3f\0\0\x80\xbe\1\0\x80\x7f\2\0\x80\x7f\0\0\xc0\x7f\0\0\x80\x7f",
                 24);
    check_floats(">f4", "\x3f\xc0\0\0\xbe\x80\0\0\x7f\xc0\0\1\x7f\xc0\0\2\x7f\xc0\0\0\x7f\x80\0\0",
                 24);
    check_floats("<f8", wide, sizeof wide);
}

/* All halves there and back, and what lies between them to the nearer one, or the even one. */
static void test_halves(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        double value = half_to_double((uint16_t)bits);
        double next = half_to_double((uint16_t)(bits + 1));

        if (isnan(value))
            continue;
        assert_int_equal(half_from_double(value), bits);
        if ((bits & 0x7fff) >= 0x7bff)
            continue;
        assert_int_equal(half_from_double((value + next) / 2), bits % 2 == 0 ? bits : bits + 1);
        assert_int_equal(half_from_double(value * 0.75 + next * 0.25), bits);
        assert_int_equal(half_from_double(value * 0.25 + next * 0.75), bits + 1);
    }
    assert_int_equal(half_from_double(65519), 0x7bff);
    assert_int_equal(half_from_double(65520), 0x7c00);
    assert_int_equal(half_from_double(-1e300), 0xfc00);
}

/* Things in place of a chunk: each is refused by name, and none is waited for. */
static void test_no_file(void **state)
{
    struct zarr_array *ints = make_array(1, 1, "|i1", RAW), *strings;
    char path[512];

    (void)state;
    snprintf(path, sizeof path, "%s/x/0", fix.dir);
    for (unsigned what = 0; what < 6; what++) {
        unlink(path);
        decoder_trim(fix.decoder);
        switch (what) {
        case 0:
            assert_int_equal(mkdir(path, 0700), 0);
            break;
        case 1:
            assert_int_equal(mkfifo(path, 0600), 0);
            break;
        case 2:
            assert_int_equal(symlink("/dev/zero", path), 0);
            break;
        case 3:
            assert_int_equal(symlink("/etc/passwd", path), 0);
            break;
        case 4:
            assert_int_equal(symlink("nowhere", path), 0);
            break;
        default:
            put_chunk("", 0);
        }
        expect_bad_ints(ints, ERR_CORRUPT, "x/0");
        strings = make_array(1, 1, "|O", VLEN);
        expect_bad_strings(strings);
        zarr_array_free(strings);
        if (what == 0)
            assert_int_equal(rmdir(path), 0);
    }
    zarr_array_free(ints);
}

/* Strings that decompress without end stop at the budget. */
static void test_string_bomb(void **state)
{
    size_t n = (size_t)300 << 20, room = ZSTD_compressBound(n);
    uint8_t *plain = calloc(1, n), *packed = malloc(room);
    struct zarr_array *array =
        make_array(1, 1, "|O",
                   "\"compressor\":{\"id\":\"zstd\"},\"filters\":[{\"id\":\"vlen-utf8\"}],"
                   "\"fill_value\":\"\"");
    struct strings got = {0};
    struct err err = {0};

    (void)state;
    put_le32(plain, 1);
    put_le32(plain + 4, (uint32_t)n - 8);
    put_chunk(packed, ZSTD_compress(packed, room, plain, n, 1));
    assert_int_equal(zarr_chunk_strings(fix.decoder, array, first, &got, &err), -1);
    assert_int_equal(err.code, ERR_BUDGET);
    assert_non_null(strstr(err.msg, "x/0"));
    assert_non_null(strstr(err.msg, "--memory"));
    assert_true(got.bytes.cap <= (size_t)130 << 20);
    strings_free(&got);
    zarr_array_free(array);
    free(plain);
    free(packed);
}

static void test_crc32c(void **state)
{
    (void)state;
    assert_int_equal(crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
    assert_int_equal(crc32c((const uint8_t *)"", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ints),         cmocka_unit_test(test_bad_ints),
        cmocka_unit_test(test_raw_pieces),   cmocka_unit_test(test_straddling),
        cmocka_unit_test(test_absent),       cmocka_unit_test(test_absent_no_more),
        cmocka_unit_test(test_index),        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_scratch_max),  cmocka_unit_test(test_fixed_strings),
        cmocka_unit_test(test_vlen),         cmocka_unit_test(test_absent_strings),
        cmocka_unit_test(test_unknown_size), cmocka_unit_test(test_v3_chain),
        cmocka_unit_test(test_crc32c),       cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_string_bomb),  cmocka_unit_test(test_floats),
        cmocka_unit_test(test_halves),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
