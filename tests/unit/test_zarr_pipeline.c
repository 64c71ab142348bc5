/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shards, filters, transposed chunks, and chunks that are shared or streamed: written here, read
 * back.
 */
#include "zarr_fixture.h"

#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/size.h"

#include <blosc.h>
#include <libdeflate.h>
#include <pthread.h>
#include <zstd.h>

static struct fixture fix;

static void setup_v2(void)
{
    make_dir(&fix);
    put_text(&fix, ".zgroup", "{\"zarr_format\":2}");
    open_path(&fix, fix.dir);
}

static void setup_v3(void)
{
    make_dir(&fix);
    put_text(&fix, "zarr.json", "{\"zarr_format\":3,\"node_type\":\"group\"}");
    open_path(&fix, fix.dir);
}

static struct zarr_array *make_v2(const char *shape, const char *dtype, const char *rest)
{
    char json[2048];

    snprintf(
        json, sizeof json,
        "{\"zarr_format\":2,\"shape\":%s,\"chunks\":%s,\"dtype\":\"%s\",\"fill_value\":null,%s}",
        shape, shape, dtype, rest);
    put_text(&fix, "x/.zarray", json);
    return open_array(&fix, "x");
}

static struct zarr_array *make_v3(const char *shape, const char *chunk, const char *type,
                                  const char *fill, const char *codecs)
{
    char json[2048];

    snprintf(json, sizeof json,
             "{\"zarr_format\":3,\"node_type\":\"array\",\"shape\":%s,\"data_type\":\"%s\","
             "\"chunk_grid\":{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":%s}},"
             "\"chunk_key_encoding\":{\"name\":\"default\"},\"fill_value\":%s,\"codecs\":%s}",
             shape, type, chunk, fill, codecs);
    put_text(&fix, "x/zarr.json", json);
    return open_array(&fix, "x");
}

static void put_chunk(const char *key, const void *data, size_t n)
{
    decoder_trim(fix.decoder);
    put_file(&fix, key, data, n);
}

static void put_le64(uint8_t *to, uint64_t value)
{
    put_le32(to, (uint32_t)value);
    put_le32(to + 4, (uint32_t)(value >> 32));
}

static void expect_ints(const struct zarr_array *array, const uint64_t *index,
                        const int64_t *expected)
{
    int64_t *got = calloc(array->meta.chunk_elements, sizeof *got);
    struct err err = {0};

    if (zarr_chunk_ints(fix.decoder, array, index, got, &err) != 0)
        fail_msg("%s", err.msg);
    assert_memory_equal(got, expected, array->meta.chunk_elements * sizeof *got);
    free(got);
}

/* An error that names the file, the array and what is wrong. */
static void expect_bad(const struct zarr_array *array, const uint64_t *index, const char *word)
{
    int64_t *got = calloc(array->meta.chunk_elements, sizeof *got);
    struct err err = {0};

    assert_int_equal(zarr_chunk_ints(fix.decoder, array, index, got, &err), -1);
    if (err.code != ERR_CORRUPT || strstr(err.msg, word) == NULL ||
        strstr(err.msg, fix.dir) == NULL || strstr(err.msg, "x/") == NULL)
        fail_msg("%s: %s", err_code_name(err.code), err.msg);
    free(got);
}

#define LITTLE "{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}}"
#define SHARDS(inner, index, more)                                                                 \
    "[{\"name\":\"sharding_indexed\",\"configuration\":{\"chunk_shape\":[2],\"codecs\":" inner     \
    ",\"index_codecs\":" index more "}}]"
#define CRC_INDEX "[" LITTLE ",\"crc32c\"]"

/* Three chunks of two bytes; the second is absent. Index at the end, with its checksum. */
static size_t make_shard(uint8_t *to, bool first)
{
    uint8_t *index = first ? to : to + 4, *data = first ? to + 52 : to;
    size_t base = (size_t)(data - to);

    memcpy(data, "\1\2\5\6", 4);
    put_le64(index, base);
    put_le64(index + 8, 2);
    put_le64(index + 16, UINT64_MAX);
    put_le64(index + 24, UINT64_MAX);
    put_le64(index + 32, base + 2);
    put_le64(index + 40, 2);
    put_le32(index + 48, crc32c(index, 48));
    return 56;
}

static void test_shard(void **state)
{
    static const char *const codecs[] = {
        SHARDS("[\"bytes\"]", CRC_INDEX, ""),
        SHARDS("[\"bytes\"]", CRC_INDEX, ",\"index_location\":\"start\""),
    };
    uint8_t shard[64];

    (void)state;
    setup_v3();
    for (unsigned first = 0; first < 2; first++) {
        struct zarr_array *array = make_v3("[12]", "[6]", "int8", "7", codecs[first]);

        put_chunk("x/c/0", shard, make_shard(shard, first));
        expect_ints(array, (uint64_t[]){0}, (int64_t[]){1, 2});
        expect_ints(array, (uint64_t[]){1}, (int64_t[]){7, 7});
        expect_ints(array, (uint64_t[]){2}, (int64_t[]){5, 6});
        /* A whole shard may be absent. */
        expect_ints(array, (uint64_t[]){4}, (int64_t[]){7, 7});
        zarr_array_free(array);
    }
    close_fixture(&fix);
}

static void test_bad_shard(void **state)
{
    uint8_t shard[64];
    struct zarr_array *array;
    size_t n = make_shard(shard, false);

    (void)state;
    setup_v3();
    array = make_v3("[6]", "[6]", "int8", "7", SHARDS("[\"bytes\"]", CRC_INDEX, ""));
    for (size_t at = 4; at < n; at++) {
        shard[at] ^= 0x40;
        put_chunk("x/c/0", shard, n);
        expect_bad(array, (uint64_t[]){0}, "crc32c");
        shard[at] ^= 0x40;
    }
    for (size_t cut = 0; cut < n; cut++) {
        put_chunk("x/c/0", shard, cut);
        expect_bad(array, (uint64_t[]){2}, cut < 52 ? "too few" : "crc32c");
    }
    zarr_array_free(array);
    /* Without a checksum, what an entry says is held against the file. */
    array = make_v3("[6]", "[6]", "int8", "7", SHARDS("[\"bytes\"]", "[" LITTLE "]", ""));
    put_le64(shard + 4, 51);
    put_chunk("x/c/0", shard, n - 4);
    expect_bad(array, (uint64_t[]){0}, "chunk 0");
    put_le64(shard + 4, UINT64_MAX);
    put_chunk("x/c/0", shard, n - 4);
    expect_bad(array, (uint64_t[]){0}, "chunk 0");
    put_le64(shard + 4, UINT64_MAX - 1);
    put_le64(shard + 12, 2);
    put_chunk("x/c/0", shard, n - 4);
    expect_bad(array, (uint64_t[]){0}, "index says");
    put_le64(shard + 4, 0);
    put_le64(shard + 12, 3);
    put_chunk("x/c/0", shard, n - 4);
    expect_bad(array, (uint64_t[]){0}, "3 bytes where a chunk has 2");
    /* Two entries may be of the same bytes. */
    put_le64(shard + 4, 2);
    put_le64(shard + 12, 2);
    put_chunk("x/c/0", shard, n - 4);
    expect_ints(array, (uint64_t[]){0}, (int64_t[]){5, 6});
    expect_ints(array, (uint64_t[]){2}, (int64_t[]){5, 6});
    zarr_array_free(array);
    close_fixture(&fix);
}

/* An index that is not kept, big-endian; its entries are read one by one. */
static void test_long_index(void **state)
{
    size_t nchunks = 100000, n = nchunks * 2 + nchunks * 16;
    uint8_t *shard = calloc(1, n);
    struct zarr_array *array;

    (void)state;
    setup_v3();
    for (size_t i = 0; i < nchunks; i++) {
        uint8_t *entry = shard + nchunks * 2 + i * 16;
        uint64_t at = __builtin_bswap64((nchunks - 1 - i) * 2), length = __builtin_bswap64(2);

        memcpy(entry, &at, 8);
        memcpy(entry + 8, &length, 8);
        shard[i * 2] = (uint8_t)(i % 100);
        shard[i * 2 + 1] = (uint8_t)(i % 7);
    }
    array = make_v3(
        "[200000]", "[200000]", "int8", "0",
        SHARDS("[\"bytes\"]", "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"big\"}}]", ""));
    put_chunk("x/c/0", shard, n);
    for (uint64_t i = 0; i < nchunks; i += 9999) {
        uint64_t at = nchunks - 1 - i;

        expect_ints(array, &i, (int64_t[]){(int64_t)(at % 100), (int64_t)(at % 7)});
    }
    zarr_array_free(array);
    free(shard);
    close_fixture(&fix);
}

/* Strings in shards, compressed; (2, 2) shards of (1, 2) chunks. */
static void test_sharded_strings(void **state)
{
    static const char plain[] = "\2\0\0\0\1\0\0\0a\2\0\0\0bc";
    uint8_t shard[256];
    struct strings got = {0};
    struct zarr_array *array;
    struct err err = {0};
    size_t n = ZSTD_compress(shard, sizeof shard, plain, sizeof plain - 1, 1);

    (void)state;
    setup_v3();
    array = make_v3("[2,2]", "[2,2]", "string", "\"z\"",
                    "[{\"name\":\"sharding_indexed\",\"configuration\":{\"chunk_shape\":[1,2],"
                    "\"codecs\":[\"vlen-utf8\",\"zstd\"],\"index_codecs\":[" LITTLE "]}}]");
    put_le64(shard + n, UINT64_MAX);
    put_le64(shard + n + 8, UINT64_MAX);
    put_le64(shard + n + 16, 0);
    put_le64(shard + n + 24, n);
    put_chunk("x/c/0/0", shard, n + 32);
    assert_int_equal(zarr_chunk_strings(fix.decoder, array, (uint64_t[]){1, 0}, &got, &err), 0);
    assert_int_equal(got.nitems, 2);
    assert_memory_equal(got.items[1].at, "bc", 2);
    assert_int_equal(zarr_chunk_strings(fix.decoder, array, (uint64_t[]){0, 0}, &got, &err), 0);
    assert_memory_equal(got.items[1].at, "z", 1);
    put_le64(shard + n + 16, n);
    put_le64(shard + n + 24, 33);
    put_chunk("x/c/0/0", shard, n + 32);
    assert_int_equal(zarr_chunk_strings(fix.decoder, array, (uint64_t[]){1, 0}, &got, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.msg, "x/c/0/0, chunk 1.0"));
    strings_free(&got);
    zarr_array_free(array);
    close_fixture(&fix);
}

#define SHARDING(shape, inner, index, location)                                                    \
    "{\"name\":\"sharding_indexed\",\"configuration\":{\"chunk_shape\":" shape                     \
    ",\"codecs\":" inner ",\"index_codecs\":" index ",\"index_location\":\"" location "\"}}"
#define TRANSPOSE(order) "{\"name\":\"transpose\",\"configuration\":{\"order\":" order "}}"

static void put_entry(uint8_t *index, unsigned i, uint64_t at, uint64_t n)
{
    put_le64(index + i * 16, at);
    put_le64(index + i * 16 + 8, n);
}

/* A (4, 6) array whose element (i, j) is 10 i + j is stored transposed, as (6, 4), in one shard of
 * (3, 4), whose chunks are shards of (1, 2). */
static void check_nested(const struct zarr_array *array)
{
    struct err err = {0};

    assert_memory_equal(array->meta.chunk, ((uint64_t[]){2, 1}), 16);
    assert_memory_equal(array->meta.nchunks, ((uint64_t[]){2, 6}), 16);
    for (uint64_t i = 0; i < 2; i++)
        for (uint64_t j = 0; j < 6; j++) {
            int64_t got[2];

            if (zarr_chunk_ints(fix.decoder, array, (uint64_t[]){i, j}, got, &err) != 0)
                fail_msg("%s", err.msg);
            /* The inner shard's second row is absent, and so is the outer one's second half. */
            if (j == 1 || j > 2)
                assert_true(got[0] == 99 && got[1] == 99);
            else
                assert_true(got[0] == (int64_t)(20 * i + j) &&
                            got[1] == (int64_t)(20 * i + 10 + j));
        }
}

static void test_nested_shards(void **state)
{
    enum { INNER = 6 * 16 + 4, OUTER = 2 * 16 + 4, DATA = 8 };
    static const char codecs[] = "[" TRANSPOSE("[1,0]") "," SHARDING(
        "[3,4]", "[" SHARDING("[1,2]", "[\"bytes\"]", CRC_INDEX, "end") "]", CRC_INDEX,
        "start") "]";
    uint8_t shard[OUTER + 3 + DATA + INNER + 5] = {0};
    uint8_t *inner = shard + OUTER + 3, *index = inner + DATA;
    struct zarr_array *array;

    (void)state;
    setup_v3();
    array = make_v3("[4,6]", "[4,6]", "uint8", "99", codecs);
    /* Rows 0 and 2 of (3, 4), in halves. */
    memcpy(inner, ((uint8_t[]){0, 10, 20, 30, 2, 12, 22, 32}), DATA);
    memset(index, 0xff, INNER);
    for (unsigned k = 0; k < 2; k++) {
        put_entry(index, k, k * 2, 2);
        put_entry(index, 4 + k, 4 + k * 2, 2);
    }
    put_le32(index + INNER - 4, crc32c(index, INNER - 4));
    memset(shard, 0xff, OUTER);
    put_entry(shard, 0, OUTER + 3, DATA + INNER);
    put_le32(shard + OUTER - 4, crc32c(shard, OUTER - 4));
    put_chunk("x/c/0/0", shard, sizeof shard);
    check_nested(array);
    /* In the file, but not in the inner shard. */
    put_entry(index, 0, DATA + INNER, 2);
    put_le32(index + INNER - 4, crc32c(index, INNER - 4));
    put_chunk("x/c/0/0", shard, sizeof shard);
    expect_bad(array, (uint64_t[]){0, 0}, "the inner shard has 108");
    index[3]++;
    put_chunk("x/c/0/0", shard, sizeof shard);
    expect_bad(array, (uint64_t[]){0, 0}, "checksum of its shard index");
    put_entry(shard, 0, OUTER + 3, INNER - 1);
    put_le32(shard + OUTER - 4, crc32c(shard, OUTER - 4));
    put_chunk("x/c/0/0", shard, sizeof shard);
    expect_bad(array, (uint64_t[]){1, 2}, "too few for a shard");
    zarr_array_free(array);
    close_fixture(&fix);
}

/* Many inner shards, so that those in use push others out. */
static void test_many_inner_shards(void **state)
{
    enum { N = 40, INNER = 2 + 2 * 16 };
    uint8_t shard[N * 16 + N * INNER];
    struct zarr_array *array;

    (void)state;
    setup_v3();
    array =
        make_v3("[80]", "[80]", "uint8", "0",
                "[" SHARDING("[2]", "[" SHARDING("[1]", "[\"bytes\"]", "[" LITTLE "]", "end") "]",
                             "[" LITTLE "]", "start") "]");
    for (unsigned i = 0; i < N; i++) {
        uint8_t *inner = shard + N * 16 + i * INNER;

        put_entry(shard, i, (uint64_t)(inner - shard), INNER);
        inner[0] = (uint8_t)(2 * i);
        inner[1] = (uint8_t)(2 * i + 1);
        put_entry(inner + 2, 0, 0, 1);
        put_entry(inner + 2, 1, 1, 1);
    }
    put_chunk("x/c/0", shard, sizeof shard);
    for (unsigned turn = 0; turn < 2; turn++)
        for (uint64_t i = 0; i < 2 * N; i++)
            expect_ints(array, (uint64_t[]){i}, &(int64_t){(int64_t)i});
    zarr_array_free(array);
    close_fixture(&fix);
}

#define FLOATS(length)                                                                             \
    "{\"zarr_format\":2,\"shape\":[" length                                                        \
    "],\"chunks\":[2],\"dtype\":\"<f4\",\"fill_value\":NaN,"                                       \
    "\"order\":\"C\",\"compressor\":null,\"filters\":null}"

static void open_consolidated(const char *copy)
{
    make_dir(&fix);
    put_text(&fix, ".zgroup", "{\"zarr_format\":2}");
    put_text(&fix, ".zattrs", "{\"cutoff\":-Infinity,\"vcf_zarr_version\":\"0.4\"}");
    put_text(&fix, ".zmetadata", copy);
    put_text(&fix, "x/.zarray", FLOATS("2"));
    open_path(&fix, fix.dir);
}

/* One NaN as Python writes it must not cost all arrays that the same document describes. */
static void test_consolidated_nan(void **state)
{
    struct zarr_array *array;
    struct err err = {0};
    double got[2];
    size_t nstale;

    (void)state;
    open_consolidated(
        "{\"zarr_consolidated_format\":1,\"metadata\":{\"x/.zattrs\":{\"missing\":NaN},"
        "\"x/.zarray\":" FLOATS("2") "}}");
    assert_null(zarr_group_stale(fix.group, &nstale));
    assert_string_equal(zarr_group_attr(fix.group, "vcf_zarr_version"), "0.4");
    array = open_array(&fix, "x");
    assert_int_equal(chunk_floats(fix.decoder, array, (uint64_t[]){0}, got, NULL, &err), 0);
    assert_true(got[0] != got[0] && got[1] != got[1]);
    zarr_array_free(array);
    close_fixture(&fix);
}

/* What the array itself says counts, and that it is there at all. */
static void test_consolidated_stale(void **state)
{
    struct zarr_array *array;
    struct err err = {0};
    size_t nstale;

    (void)state;
    open_consolidated("{\"zarr_consolidated_format\":1,\"metadata\":{\"x/.zarray\":" FLOATS(
        "1") ",\"y/.zarray\":" FLOATS("1") ",\"../z/.zarray\":" FLOATS("1") ",\"g/.zgroup\":{}}}");
    assert_string_equal(zarr_group_stale(fix.group, &nstale), "x");
    assert_int_equal(nstale, 2);
    array = open_array(&fix, "x");
    assert_int_equal(array->meta.shape[0], 2);
    zarr_array_free(array);
    assert_int_equal(zarr_array_open(fix.group, "y", &array, &err), 0);
    assert_null(array);
    close_fixture(&fix);
}

static void test_any_transpose(void **state)
{
    uint8_t stored[24];
    int64_t expected[24];
    struct zarr_array *array;

    (void)state;
    setup_v3();
    /* (2, 3, 4) stored as (4, 2, 3). */
    array = make_v3("[2,3,4]", "[2,3,4]", "uint8", "0",
                    "[{\"name\":\"transpose\",\"configuration\":{\"order\":[2,0,1]}},\"bytes\"]");
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++) {
                expected[(i * 3 + j) * 4 + k] = 100 * i + 10 * j + k;
                stored[(k * 2 + i) * 3 + j] = (uint8_t)(100 * i + 10 * j + k);
            }
    put_chunk("x/c/0/0/0", stored, sizeof stored);
    expect_ints(array, (uint64_t[]){0, 0, 0}, expected);
    zarr_array_free(array);
    close_fixture(&fix);
}

static void test_filters(void **state)
{
    static const struct {
        const char *dtype, *filters;
        size_t n;
        uint8_t bytes[40];
        int64_t expected[5];
    } cases[] = {
        {"<i4",
         "{\"id\":\"delta\",\"dtype\":\"<i4\"}",
         20,
         {10, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 0},
         {10, 11, 10, 266, 266}},
        {"<i4",
         "{\"id\":\"delta\",\"dtype\":\"<i4\",\"astype\":\"|i1\"}",
         5,
         {10, 1, 0xff, 0x80, 0},
         {10, 11, 10, -118, -118}},
        {">i2",
         "{\"id\":\"delta\",\"dtype\":\">i2\",\"astype\":\"<i2\"}",
         10,
         {10, 0, 1, 0, 0, 1, 0xff, 0xff, 0, 0x80},
         {10, 11, 267, 266, -32502}},
        {"|u1",
         "{\"id\":\"delta\",\"dtype\":\"|u1\"}",
         5,
         {250, 6, 255, 1, 0},
         {250, 0, 255, 0, 0}},
        {"|b1", "{\"id\":\"packbits\"}", 2, {3, 0xb0}, {1, 0, 1, 1, 0}},
        {"<i2",
         "{\"id\":\"fixedscaleoffset\",\"scale\":0.5,\"offset\":100,\"dtype\":\"<i2\","
         "\"astype\":\"|i1\"}",
         5,
         {0, 1, 0xff, 100, 5},
         {100, 102, 98, 300, 110}},
        {"<i2",
         "{\"id\":\"shuffle\",\"elementsize\":2}",
         10,
         {1, 2, 3, 4, 5, 0, 1, 0, 1, 0xff},
         {1, 258, 3, 260, -251}},
        {"<i4",
         "{\"id\":\"delta\",\"dtype\":\"<i4\",\"astype\":\"<i2\"},"
         "{\"id\":\"delta\",\"dtype\":\"<i2\",\"astype\":\"|i1\"},"
         "{\"id\":\"shuffle\",\"elementsize\":1}",
         5,
         {1, 1, 0, 0xff, 0},
         {1, 3, 5, 6, 7}},
    };

    (void)state;
    setup_v2();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zarr_array *array;
        char rest[1024];
        uint8_t packed[256];

        snprintf(rest, sizeof rest, "\"order\":\"C\",\"compressor\":null,\"filters\":[%s]",
                 cases[i].filters);
        array = make_v2("[5]", cases[i].dtype, rest);
        put_chunk("x/0", cases[i].bytes, cases[i].n);
        expect_ints(array, (uint64_t[]){0}, cases[i].expected);
        put_chunk("x/0", cases[i].bytes, cases[i].n - 1);
        expect_bad(array, (uint64_t[]){0}, "x/0");
        zarr_array_free(array);
        snprintf(rest, sizeof rest,
                 "\"order\":\"F\",\"compressor\":{\"id\":\"zstd\"},\"filters\":[%s]",
                 cases[i].filters);
        array = make_v2("[5]", cases[i].dtype, rest);
        put_chunk("x/0", packed,
                  ZSTD_compress(packed, sizeof packed, cases[i].bytes, cases[i].n, 1));
        expect_ints(array, (uint64_t[]){0}, cases[i].expected);
        zarr_array_free(array);
    }
    close_fixture(&fix);
}

#define BYTES(endian)           "{\"name\":\"bytes\",\"configuration\":{\"endian\":\"" endian "\"}}"
#define NUMCODECS(name, config) "{\"name\":\"numcodecs." name "\",\"configuration\":{" config "}}"

/* The same by the names that zarr-python writes in v3. */
static void test_v3_filters(void **state)
{
    static const struct {
        const char *type, *codecs;
        size_t n;
        uint8_t bytes[20];
        int64_t expected[5];
    } cases[] = {
        {"int32",
         "[" NUMCODECS("delta", "\"dtype\":\"int32\",\"astype\":\"int8\"") ",\"bytes\"]",
         5,
         {10, 1, 0xff, 5, 0},
         {10, 11, 10, 15, 15}},
        {"int16",
         "[" NUMCODECS("delta", "\"dtype\":\"<i2\"") "," BYTES("big") "]",
         10,
         {1, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 2},
         {256, 257, 256, 256, 258}},
        {"int8",
         "[" NUMCODECS("delta", "\"dtype\":\"i1\",\"astype\":\"i2\"") "," BYTES("big") "]",
         10,
         {0, 1, 0, 1, 0xff, 0xff, 0, 0, 0, 2},
         {1, 2, 1, 1, 3}},
        {"bool", "[" NUMCODECS("packbits", "") ",\"bytes\"]", 2, {3, 0xb0}, {1, 0, 1, 1, 0}},
        {"int16",
         "[" NUMCODECS(
             "fixedscaleoffset",
             "\"scale\":0.5,\"offset\":100,\"dtype\":\"int16\",\"astype\":\"i1\"") ",\"bytes\"]",
         5,
         {0, 1, 0xff, 100, 5},
         {100, 102, 98, 300, 110}},
        {"int16",
         "[" BYTES("little") "," NUMCODECS("shuffle", "\"elementsize\":2") "]",
         10,
         {1, 2, 3, 4, 5, 0, 1, 0, 1, 0xff},
         {1, 258, 3, 260, -251}},
        /* What an element takes by then, where nothing says so. */
        {"int16",
         "[" BYTES("little") "," NUMCODECS("shuffle", "") "]",
         10,
         {1, 2, 3, 4, 5, 0, 1, 0, 1, 0xff},
         {1, 258, 3, 260, -251}},
        {"int8",
         "[" NUMCODECS("delta", "\"dtype\":\"i1\",\"astype\":\"i2\"") "," BYTES(
             "little") "," NUMCODECS("shuffle", "\"elementsize\":null") "]",
         10,
         {1, 1, 0xff, 0, 2, 0, 0, 0xff, 0, 0},
         {1, 2, 1, 1, 3}},
        {"int16",
         "[" BYTES("big") "," NUMCODECS("shuffle", "\"elementsize\":2") "," NUMCODECS(
             "crc32c", "\"location\":\"end\"") "]",
         10,
         {0, 1, 0, 1, 0xff, 1, 2, 3, 4, 5},
         {1, 258, 3, 260, -251}},
    };

    (void)state;
    setup_v3();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zarr_array *array = make_v3("[5]", "[5]", cases[i].type, "0", cases[i].codecs);
        bool sum = strstr(cases[i].codecs, "crc32c") != NULL;
        uint8_t bytes[24];

        memcpy(bytes, cases[i].bytes, cases[i].n);
        put_le32(bytes + cases[i].n, crc32c(bytes, cases[i].n));
        put_chunk("x/c/0", bytes, cases[i].n + (sum ? 4 : 0));
        expect_ints(array, (uint64_t[]){0}, cases[i].expected);
        put_chunk("x/c/0", bytes, cases[i].n - 1);
        expect_bad(array, (uint64_t[]){0}, "x/c/0");
        zarr_array_free(array);
    }
    close_fixture(&fix);
}

/* What cannot be undone in that place is named. */
static void test_v3_filters_refused(void **state)
{
    static const struct {
        const char *type, *codecs, *word;
    } cases[] = {
        {"int16",
         "[" NUMCODECS("delta", "\"dtype\":\"i2\"") ",{\"name\":\"transpose\",\"configuration\":{"
                                                    "\"order\":[0]}}," BYTES("little") "]",
         "transpose"},
        {"int16", "[" NUMCODECS("delta", "\"dtype\":\"f4\"") "," BYTES("little") "]", "filter"},
        {"int16", "[" NUMCODECS("delta", "\"dtype\":\"int17\"") "," BYTES("little") "]", "int17"},
        {"int16", "[" NUMCODECS("packbits", "") ",\"bytes\"]", "packbits"},
        {"int16", "[" NUMCODECS("pcodec", "") "]", "pcodec"},
        {"int16", "[" BYTES("little") "," NUMCODECS("bz2", "") "]", "bz2"},
        {"int16", "[" BYTES("little") ",\"zstd\"," NUMCODECS("shuffle", "") "]", "shuffle"},
        {"int16", "[" BYTES("little") "," NUMCODECS("crc32c", "\"location\":\"start\"") "]",
         "end of the data"},
    };

    (void)state;
    setup_v3();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zarr_array *array = NULL;
        struct err err = {0};
        char json[2048];

        snprintf(json, sizeof json,
                 "{\"zarr_format\":3,\"node_type\":\"array\",\"shape\":[5],\"data_type\":\"%s\","
                 "\"chunk_grid\":{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":[5]}},"
                 "\"chunk_key_encoding\":{\"name\":\"default\"},\"fill_value\":0,\"codecs\":%s}",
                 cases[i].type, cases[i].codecs);
        put_text(&fix, "x/zarr.json", json);
        assert_int_equal(zarr_array_open(fix.group, "x", &array, &err), -1);
        if (strstr(err.msg, cases[i].word) == NULL || strstr(err.msg, "x") == NULL)
            fail_msg("'%s' does not say '%s'", err.msg, cases[i].word);
    }
    close_fixture(&fix);
}

static void test_bad_filters(void **state)
{
    static const struct {
        const char *dtype, *filter;
        size_t n;
        uint8_t bytes[20];
        const char *word;
    } cases[] = {
        {"|b1", "{\"id\":\"packbits\"}", 2, {2, 0xb0}, "packed bits"},
        {"<i2", "{\"id\":\"shuffle\",\"elementsize\":4}", 10, {0}, "shuffle"},
        {"|i1",
         "{\"id\":\"fixedscaleoffset\",\"scale\":1,\"offset\":100,\"dtype\":\"|i1\"}",
         5,
         {0, 1, 2, 3, 28},
         "element 4"},
    };

    (void)state;
    setup_v2();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zarr_array *array;
        char rest[1024];

        snprintf(rest, sizeof rest, "\"order\":\"C\",\"compressor\":null,\"filters\":[%s]",
                 cases[i].filter);
        array = make_v2("[5]", cases[i].dtype, rest);
        put_chunk("x/0", cases[i].bytes, cases[i].n);
        expect_bad(array, (uint64_t[]){0}, cases[i].word);
        zarr_array_free(array);
    }
    close_fixture(&fix);
}

/* ---- Long chunks ---- */

#define LONG_N ((size_t)3000017)

static int32_t *long_values(void)
{
    int32_t *values = calloc(LONG_N, sizeof *values);
    uint32_t x = 1;

    for (size_t i = 0; i < LONG_N; i++) {
        x = x * 1664525 + 1013904223;
        values[i] = (int32_t)(x >> 24) - 128;
    }
    return values;
}

static const char *const long_codecs[] = {
    "[" LITTLE ",\"zstd\"]",
    "[" LITTLE ",\"gzip\"]",
    "[" LITTLE ",\"numcodecs.zlib\"]",
    "[" LITTLE ",\"crc32c\"]",
    "[" LITTLE ",\"crc32c\",\"zstd\",\"crc32c\"]",
};

/* The chunk as the writer of pipeline `which` makes it. */
static size_t make_long(unsigned which, const int32_t *values, uint8_t **out)
{
    size_t n = LONG_N * 4, room = n + n / 8 + 4096;
    uint8_t *plain = malloc(n + 4), *to = malloc(room);
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(1);

    memcpy(plain, values, n);
    put_le32(plain + n, crc32c(plain, n));
    switch (which) {
    case 0:
        n = ZSTD_compress(to, room, plain, n, 1);
        break;
    case 1:
        n = libdeflate_gzip_compress(deflate, plain, 1000000, to, room);
        n += libdeflate_gzip_compress(deflate, plain + 1000000, LONG_N * 4 - 1000000, to + n,
                                      room - n);
        break;
    case 2:
        n = libdeflate_zlib_compress(deflate, plain, n, to, room);
        break;
    case 3:
        n += 4;
        memcpy(to, plain, n);
        break;
    default:
        n = ZSTD_compress(to, room, plain, n + 4, 1);
        put_le32(to + n, crc32c(to, n));
        n += 4;
    }
    libdeflate_free_compressor(deflate);
    free(plain);
    *out = to;
    return n;
}

static int check_block(struct decoder *decoder, struct chunk *chunk, uint64_t i,
                       const int32_t *values, struct err *err)
{
    struct block block;

    if (decoder_block(decoder, chunk, i, true, &block, err) != 0)
        return -1;
    assert_int_equal(block.begin % 4, 0);
    assert_memory_equal(block.data, values + block.begin / 4, block.nbytes);
    return 0;
}

/* What a decoder of LONG_SCRATCH makes of them. */
#define LONG_SCRATCH ((size_t)5 << 20)
#define LONG_BLOCK   (LONG_SCRATCH / 32)
#define LONG_BLOCKS  ((LONG_N * 4 + LONG_BLOCK - 1) / LONG_BLOCK)

/* Forwards, backwards, and here and there. */
static void check_long(struct decoder *decoder, const struct zarr_array *array,
                       const int32_t *values, uint64_t block_size)
{
    const uint64_t nblocks = (LONG_N * 4 + block_size - 1) / block_size, last = nblocks - 1;
    const uint64_t order[] = {0, 1, 2, 5, 5, 6, 3, last, 0, last, last - 1};
    struct chunk *chunk;
    struct err err = {0};

    if (decoder_chunk(decoder, array, (uint64_t[]){0}, &chunk, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(chunk_block_size(chunk), block_size);
    assert_int_equal(chunk_nblocks(chunk), nblocks);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (check_block(decoder, chunk, order[i], values, &err) != 0)
            fail_msg("block %d: %s", (int)order[i], err.msg);
}

static void test_stream(void **state)
{
    int32_t *values = long_values();
    struct decoder *small = decoder_new(LONG_SCRATCH, NULL);

    (void)state;
    setup_v3();
    for (unsigned i = 0; i < sizeof long_codecs / sizeof long_codecs[0]; i++) {
        struct zarr_array *array = make_v3("[3000017]", "[3000017]", "int32", "0", long_codecs[i]);
        uint8_t *bytes;
        size_t n = make_long(i, values, &bytes);

        put_file(&fix, "x/c/0", bytes, n);
        decoder_trim(small);
        check_long(small, array, values, LONG_BLOCK);
        free(bytes);
        zarr_array_free(array);
    }
    decoder_free(small);
    free(values);
    close_fixture(&fix);
}

/* An array of two long chunks, both with these values; *n is what each is stored in. */
static struct zarr_array *two_long_chunks(unsigned codecs, const int32_t *values, size_t *n)
{
    uint8_t *bytes;

    *n = make_long(codecs, values, &bytes);
    setup_v3();
    put_file(&fix, "x/c/0", bytes, *n);
    put_file(&fix, "x/c/1", bytes, *n);
    free(bytes);
    return make_v3("[6000034]", "[3000017]", "int32", "0", long_codecs[codecs]);
}

/* Two long chunks side by side, piece by piece: each goes on where it was, so that each is read
 * once. */
static void test_side_by_side(void **state)
{
    int32_t *values = long_values();
    struct decoder *small = decoder_new(LONG_SCRATCH, NULL);
    struct decoder_stats stats;
    struct err err = {0};
    struct chunk *chunk;
    size_t n;
    struct zarr_array *array = two_long_chunks(0, values, &n);

    (void)state;
    for (uint64_t i = 0; i < LONG_BLOCKS; i++)
        for (uint64_t c = 0; c < 2; c++) {
            if (decoder_chunk(small, array, &c, &chunk, &err) != 0 ||
                check_block(small, chunk, i, values, &err) != 0)
                fail_msg("%s", err.msg);
        }
    decoder_stats(small, &stats);
    assert_int_equal(stats.bytes_read, 2 * n);
    zarr_array_free(array);
    decoder_free(small);
    free(values);
    close_fixture(&fix);
}

/* Parts that end within a block, as columns are read: the stream goes on all the same, so that the
 * chunk is read once; also where two are read in turn, and where the scratch is as small as it can
 * be. */
static void test_parts_of_a_stream(void **state)
{
    static const size_t scratches[] = {LONG_SCRATCH, (size_t)2 << 20};
    const uint64_t step = 16381;
    int32_t *values = long_values();
    int64_t *part = malloc(step * sizeof *part);
    struct err err = {0};
    size_t n;
    struct zarr_array *array = two_long_chunks(1, values, &n);

    (void)state;
    for (size_t i = 0; i < sizeof scratches / sizeof scratches[0]; i++) {
        struct decoder *decoder = decoder_new(scratches[i], NULL);
        struct decoder_stats stats;

        for (uint64_t at = 0; at < LONG_N; at += step)
            for (uint64_t c = 0; c < 2; c++) {
                const uint64_t here = LONG_N - at < step ? LONG_N - at : step;

                if (zarr_chunk_ints_at(decoder, array, &c, at, here, part, &err) != 0)
                    fail_msg("%s", err.msg);
                for (uint64_t k = 0; k < here; k++)
                    assert_int_equal(part[k], values[at + k]);
            }
        decoder_stats(decoder, &stats);
        assert_int_equal(stats.bytes_read, 2 * n);
        decoder_free(decoder);
    }
    zarr_array_free(array);
    free(part);
    free(values);
    close_fixture(&fix);
}

/* Reads all blocks in order; the number of the one that failed, or -1. */
static int first_failure(struct decoder *decoder, const struct zarr_array *array, struct err *err)
{
    struct chunk *chunk;

    decoder_trim(decoder);
    if (decoder_chunk(decoder, array, (uint64_t[ZARR_DIMS_MAX]){0}, &chunk, err) != 0)
        return 0;
    for (uint64_t i = 0; i < chunk_nblocks(chunk); i++) {
        struct block block;

        if (decoder_block(decoder, chunk, i, false, &block, err) != 0)
            return (int)i;
    }
    return -1;
}

/* Whatever is wrong at the end of a streamed chunk is an error when the end is reached, again and
 * again; and of a chunk that is decoded at once, at once. */
static void test_bad_streams(void **state)
{
    int32_t *values = long_values();
    struct decoder *small = decoder_new((size_t)5 << 20, NULL);
    struct decoder *large = decoder_new((size_t)64 << 20, NULL);

    (void)state;
    setup_v3();
    for (unsigned i = 0; i < sizeof long_codecs / sizeof long_codecs[0]; i++) {
        struct zarr_array *array = make_v3("[3000017]", "[3000017]", "int32", "0", long_codecs[i]);
        uint8_t *bytes;
        size_t n = make_long(i, values, &bytes);

        for (unsigned what = 0; what < 3; what++) {
            struct err err = {0};

            /* Too short, too long, a changed last byte. */
            bytes = realloc(bytes, n + 1);
            bytes[n] = 0;
            bytes[n - 1] ^= what == 2;
            put_file(&fix, "x/c/0", bytes, what == 0 ? n - 1 : what == 1 ? n + 1 : n);
            bytes[n - 1] ^= what == 2;
            if (what == 2 && i == 0)
                continue; /* plain zstd has no checksum here */
            assert_true(first_failure(small, array, &err) >= 10);
            assert_true(first_failure(small, array, &err) >= 10);
            assert_int_equal(err.code, ERR_CORRUPT);
            assert_non_null(strstr(err.msg, "x/c/0"));
            assert_non_null(strstr(err.msg, fix.dir));
            assert_int_equal(first_failure(large, array, &err), 0);
            assert_int_equal(err.code, ERR_CORRUPT);
        }
        free(bytes);
        zarr_array_free(array);
    }
    decoder_free(small);
    decoder_free(large);
    free(values);
    close_fixture(&fix);
}

/* A frame that goes on and on costs no more than what the chunk has. */
static void test_bomb(void **state)
{
    size_t n = (size_t)200 << 20, room = ZSTD_compressBound(n);
    uint8_t *plain = calloc(1, n), *packed = malloc(room);
    struct decoder *small = decoder_new((size_t)2 << 20, NULL);
    struct zarr_array *array;
    struct decoder_stats stats;
    struct err err = {0};

    (void)state;
    setup_v3();
    n = ZSTD_compress(packed, room, plain, n, 1);
    put_file(&fix, "x/c/0", packed, n);
    array = make_v3("[3000017]", "[3000017]", "int32", "0", long_codecs[0]);
    assert_int_equal(first_failure(small, array, &err), LONG_N * 4 / (64 << 10));
    assert_int_equal(err.code, ERR_CORRUPT);
    decoder_stats(small, &stats);
    assert_true(stats.bytes_decoded < (size_t)13 << 20);
    zarr_array_free(array);
    array = make_v3("[100]", "[100]", "int32", "0", long_codecs[0]);
    decoder_trim(fix.decoder);
    assert_int_equal(first_failure(fix.decoder, array, &err), 0);
    assert_int_equal(err.code, ERR_CORRUPT);
    zarr_array_free(array);
    decoder_free(small);
    free(plain);
    free(packed);
    close_fixture(&fix);
}

/* What can neither fit nor be streamed says so and names the cure. */
static void test_too_long(void **state)
{
    static const char *const codecs[] = {
        "[" LITTLE ",\"numcodecs.lz4\"]",
        "[" LITTLE ",\"zstd\",\"gzip\"]",
    };
    struct decoder *small = decoder_new((size_t)5 << 20, NULL);
    struct zarr_array *array;
    struct err err = {0};

    (void)state;
    setup_v3();
    for (unsigned i = 0; i < 2; i++) {
        array = make_v3("[3000017]", "[3000017]", "int32", "0", codecs[i]);
        put_file(&fix, "x/c/0", "12345678", 8);
        assert_int_equal(first_failure(small, array, &err), 0);
        assert_int_equal(err.code, ERR_BUDGET);
        assert_non_null(strstr(err.msg, "--memory"));
        zarr_array_free(array);
    }
    decoder_trim(small);
    close_fixture(&fix);
    setup_v3();
    array = make_v3("[3000,1000]", "[3000,1000]", "int32", "0",
                    "[{\"name\":\"transpose\",\"configuration\":{\"order\":[1,0]}}," LITTLE "]");
    put_file(&fix, "x/c/0/0", "12345678", 8);
    assert_int_equal(first_failure(small, array, &err), 0);
    assert_int_equal(err.code, ERR_BUDGET);
    assert_non_null(strstr(err.msg, "--memory"));
    zarr_array_free(array);
    decoder_free(small);
    close_fixture(&fix);
}

/* The whole array, forwards; then a few pieces again. */
static void check_large(struct decoder *decoder, const struct zarr_array *array,
                        const int32_t *values)
{
    struct chunk *chunk;
    struct err err = {0};

    if (decoder_chunk(decoder, array, (uint64_t[]){0}, &chunk, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(chunk_block_size(chunk), 1 << 20);
    for (uint64_t i = 0; i < chunk_nblocks(chunk) + 5; i++)
        if (check_block(decoder, chunk, i * 7 % chunk_nblocks(chunk), values, &err) != 0)
            fail_msg("%s", err.msg);
}

/* Blosc blocks that are longer than there is room: only with a cache, which then holds them. */
static void test_long_block(void **state)
{
    static const size_t block_sizes[] = {LONG_N * 4, 5000000};
    int32_t *values = long_values();
    uint8_t *frame = malloc(LONG_N * 4 + 4096);
    struct decoder *small = decoder_new((size_t)4800 << 10, NULL);
    struct zarr_array *array;

    (void)state;
    setup_v3();
    array = make_v3("[3000017]", "[3000017]", "int32", "0", "[" LITTLE ",\"blosc\"]");
    for (size_t i = 0; i < 2; i++) {
        struct cache *cache = cache_new(LONG_N * 4, NULL);
        struct decoder_stats before, after;
        struct err err = {0};
        int n = blosc_compress_ctx(9, 1, 4, LONG_N * 4, values, frame, LONG_N * 4 + 4096, "zstd",
                                   block_sizes[i], 1);

        assert_true(n > 0 && get_le32(frame + 8) == block_sizes[i]);
        decoder_trim(fix.decoder);
        put_file(&fix, "x/c/0", frame, (size_t)n);
        assert_int_equal(first_failure(small, array, &err), 0);
        assert_int_equal(err.code, ERR_BUDGET);
        assert_non_null(strstr(err.msg, "--memory"));
        assert_non_null(strstr(err.msg, "x/c/0"));
        assert_int_equal(first_failure(fix.decoder, array, &err), -1);
        decoder_set_cache(small, cache);
        decoder_stats(small, &before);
        check_large(small, array, values);
        decoder_stats(small, &after);
        assert_in_range(after.bytes_read - before.bytes_read, n - 100, n);
        assert_int_equal(cache_used(cache), LONG_N * 4);
        decoder_set_cache(small, NULL);
        cache_free(cache);
    }
    zarr_array_free(array);
    decoder_free(small);
    free(frame);
    free(values);
    close_fixture(&fix);
}

/* Calls of three alleles in Blosc blocks that three does not divide: no block splits a call. */
static void test_recut(void **state)
{
    size_t n = (size_t)1000 * 100 * 3;
    int8_t *values = malloc(n);
    uint8_t *frame = malloc(n + 4096);
    struct zarr_array *array;
    struct chunk *chunk;
    struct block block;
    struct err err = {0};
    int size;

    (void)state;
    for (size_t i = 0; i < n; i++)
        values[i] = (int8_t)(i * i % 127);
    setup_v3();
    array = make_v3("[1000,100,3]", "[1000,100,3]", "int8", "0", "[\"bytes\",\"blosc\"]");
    size = blosc_compress_ctx(5, 2, 1, n, values, frame, n + 4096, "zstd", 4096, 1);
    assert_true(size > 0);
    put_file(&fix, "x/c/0/0/0", frame, (size_t)size);
    assert_int_equal(decoder_chunk(fix.decoder, array, (uint64_t[]){0, 0, 0}, &chunk, &err), 0);
    assert_int_equal(chunk_block_size(chunk) % 3, 0);
    assert_true(chunk_nblocks(chunk) > 10);
    for (uint64_t i = chunk_nblocks(chunk); i > 0; i--) {
        assert_int_equal(decoder_block(fix.decoder, chunk, i - 1, true, &block, &err), 0);
        assert_int_equal(block.form, BLOCK_PLAIN);
        assert_memory_equal(block.data, values + block.begin, block.nbytes);
    }
    zarr_array_free(array);
    free(values);
    free(frame);
    close_fixture(&fix);
}

struct reader {
    pthread_t thread;
    struct cache *cache;
    const struct zarr_array *array;
    const int32_t *values;
    uint64_t bytes_read;
    size_t scratch;
};

static void *read_shared(void *arg)
{
    struct reader *reader = arg;
    struct decoder *decoder = decoder_new(reader->scratch, NULL);
    struct decoder_stats stats;

    decoder_set_cache(decoder, reader->cache);
    check_long(decoder, reader->array, reader->values, (size_t)1 << 20);
    decoder_stats(decoder, &stats);
    reader->bytes_read = stats.bytes_read;
    decoder_free(decoder);
    return NULL;
}

/* Four threads want one chunk: its bytes are read once, within the scratch or as a stream. */
static void check_shared(const struct zarr_array *array, const int32_t *values, size_t n,
                         size_t scratch)
{
    struct cache *cache = cache_new((size_t)16 << 20, NULL);
    struct reader readers[4];
    uint64_t bytes_read = 0;

    for (size_t k = 0; k < 4; k++) {
        readers[k] =
            (struct reader){.cache = cache, .array = array, .values = values, .scratch = scratch};
        assert_int_equal(pthread_create(&readers[k].thread, NULL, read_shared, &readers[k]), 0);
    }
    for (size_t k = 0; k < 4; k++) {
        pthread_join(readers[k].thread, NULL);
        bytes_read += readers[k].bytes_read;
    }
    assert_true(bytes_read >= n && bytes_read <= n + 4);
    assert_int_equal(cache_used(cache), LONG_N * 4);
    cache_trim(cache);
    assert_int_equal(cache_used(cache), 0);
    cache_free(cache);
}

static void test_shared(void **state)
{
    int32_t *values = long_values();

    (void)state;
    setup_v3();
    for (unsigned i = 0; i < sizeof long_codecs / sizeof long_codecs[0]; i++) {
        struct zarr_array *array = make_v3("[3000017]", "[3000017]", "int32", "0", long_codecs[i]);
        uint8_t *bytes;
        size_t n = make_long(i, values, &bytes);

        put_file(&fix, "x/c/0", bytes, n);
        check_shared(array, values, n, (size_t)14 << 20);
        check_shared(array, values, n, (size_t)3 << 20);
        free(bytes);
        zarr_array_free(array);
    }
    free(values);
    close_fixture(&fix);
}

static void *read_broken(void *arg)
{
    struct reader *reader = arg;
    struct decoder *decoder = decoder_new(reader->scratch, NULL);
    struct err err = {0};

    decoder_set_cache(decoder, reader->cache);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(first_failure(decoder, reader->array, &err), 0);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_non_null(strstr(err.msg, "x/c/0"));
    }
    decoder_free(decoder);
    return NULL;
}

/* A failure reaches everybody, and is not kept: once the file is mended, it is read. */
static void test_shared_failure(void **state)
{
    int32_t *values = long_values();
    struct cache *cache = cache_new((size_t)16 << 20, NULL);
    struct zarr_array *array;
    struct reader readers[4];
    struct err err = {0};
    uint8_t *bytes;
    size_t n;

    (void)state;
    setup_v3();
    array = make_v3("[3000017]", "[3000017]", "int32", "0", long_codecs[4]);
    n = make_long(4, values, &bytes);
    put_file(&fix, "x/c/0", bytes, n - 1);
    for (size_t k = 0; k < 4; k++) {
        readers[k] = (struct reader){.cache = cache, .array = array, .scratch = (size_t)14 << 20};
        assert_int_equal(pthread_create(&readers[k].thread, NULL, read_broken, &readers[k]), 0);
    }
    for (size_t k = 0; k < 4; k++)
        pthread_join(readers[k].thread, NULL);
    assert_int_equal(cache_used(cache), 0);
    put_file(&fix, "x/c/0", bytes, n);
    decoder_set_cache(fix.decoder, cache);
    assert_int_equal(first_failure(fix.decoder, array, &err), -1);
    assert_int_equal(cache_used(cache), LONG_N * 4);
    decoder_set_cache(fix.decoder, NULL);
    cache_free(cache);
    zarr_array_free(array);
    free(bytes);
    free(values);
    close_fixture(&fix);
}

/* ---- The cache by itself ---- */

static int fill_with(void *arg, uint8_t *to, size_t n, struct err *err)
{
    const int *value = arg;

    memset(to, *value, n);
    return *value < 0 ? err_set(err, ERR_DATA, "negative") : 0;
}

struct hammer {
    pthread_t thread;
    struct cache *cache;
    unsigned seed;
};

static void *hammer_cache(void *arg)
{
    struct hammer *hammer = arg;

    for (int i = 0; i < 3000; i++) {
        int key = rand_r(&hammer->seed) % 12, value = key == 7 ? -1 : key;
        struct cache_entry *entry;
        struct err err = {0};
        int rc = cache_get(hammer->cache, &key, sizeof key, 1000, fill_with, &value, &entry, &err);

        assert_int_equal(rc, key == 7 ? -1 : 0);
        if (rc == 0) {
            assert_int_equal(cache_data(entry)[rand_r(&hammer->seed) % 1000], key);
            assert_true(cache_used(hammer->cache) <= 3500);
            cache_put(hammer->cache, entry);
        }
    }
    return NULL;
}

/* Twelve entries, room for three, six threads. */
static void test_cache(void **state)
{
    struct cache *cache = cache_new(3500, NULL);
    struct hammer hammers[6];
    struct cache_entry *entry;
    struct err err = {0};

    (void)state;
    for (unsigned k = 0; k < 6; k++) {
        hammers[k] = (struct hammer){.cache = cache, .seed = k};
        assert_int_equal(pthread_create(&hammers[k].thread, NULL, hammer_cache, &hammers[k]), 0);
    }
    for (unsigned k = 0; k < 6; k++)
        pthread_join(hammers[k].thread, NULL);
    assert_int_equal(cache_get(cache, "x", 1, 3501, fill_with, &(int){1}, &entry, &err), -1);
    assert_int_equal(err.code, ERR_BUDGET);
    cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shard),
        cmocka_unit_test(test_bad_shard),
        cmocka_unit_test(test_long_index),
        cmocka_unit_test(test_sharded_strings),
        cmocka_unit_test(test_consolidated_nan),
        cmocka_unit_test(test_consolidated_stale),
        cmocka_unit_test(test_nested_shards),
        cmocka_unit_test(test_many_inner_shards),
        cmocka_unit_test(test_any_transpose),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_bad_filters),
        cmocka_unit_test(test_v3_filters),
        cmocka_unit_test(test_v3_filters_refused),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_bad_streams),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_side_by_side),
        cmocka_unit_test(test_parts_of_a_stream),
        cmocka_unit_test(test_long_block),
        cmocka_unit_test(test_recut),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_shared_failure),
        cmocka_unit_test(test_cache),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
