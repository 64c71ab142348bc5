/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata, good and bad.
 */
#include "encoderd/zarr/meta/json_text.h"
#include "encoderd/zarr/meta/meta.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct member {
    const char *name, *value;
};

static const struct member v2_members[] = {
    {"zarr_format", "2"},
    {"shape", "[257,41,2]"},
    {"chunks", "[50,8,2]"},
    {"dtype", "\"|i1\""},
    {"fill_value", "null"},
    {"order", "\"C\""},
    {"filters", "null"},
    {"dimension_separator", "\".\""},
    {"compressor", "{\"id\":\"blosc\",\"cname\":\"zstd\",\"clevel\":7,\"shuffle\":2}"},
    {NULL, NULL},
};

static const struct member v3_members[] = {
    {"zarr_format", "3"},
    {"node_type", "\"array\""},
    {"shape", "[257,41,2]"},
    {"data_type", "\"int8\""},
    {"chunk_grid", "{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":[50,8,2]}}"},
    {"chunk_key_encoding", "{\"name\":\"default\",\"configuration\":{\"separator\":\"/\"}}"},
    {"fill_value", "0"},
    {"codecs", "[{\"name\":\"bytes\"},{\"name\":\"zstd\",\"configuration\":{\"level\":3}}]"},
    {"attributes", "{}"},
    {"dimension_names", "[\"a\",\"b\",\"c\"]"},
    {"storage_transformers", "[]"},
    {NULL, NULL},
};

/* The document with members replaced (value NULL: left out) or added. */
static void make_json(const struct member *base, const struct member *changes, char *out,
                      size_t size)
{
    size_t used = (size_t)snprintf(out, size, "{");

    for (const struct member *m = base; m->name != NULL; m++) {
        const char *value = m->value;

        for (const struct member *c = changes; c->name != NULL; c++)
            if (strcmp(c->name, m->name) == 0)
                value = c->value;
        if (value != NULL)
            used += (size_t)snprintf(out + used, size - used, "\"%s\":%s,", m->name, value);
    }
    for (const struct member *c = changes; c->name != NULL; c++) {
        bool known = false;

        for (const struct member *m = base; m->name != NULL; m++)
            known = known || strcmp(c->name, m->name) == 0;
        if (!known)
            used += (size_t)snprintf(out + used, size - used, "\"%s\":%s,", c->name, c->value);
    }
    out[used - 1] = '}';
}

static int parse(unsigned format, const struct member *changes, struct zarr_meta *meta,
                 struct err *err)
{
    char json[2048];

    make_json(format == 2 ? v2_members : v3_members, changes, json, sizeof json);
    return format == 2 ? zarr_meta_parse_v2("call_x", json, strlen(json), meta, err)
                       : zarr_meta_parse_v3("call_x", json, strlen(json), meta, err);
}

#define CHANGES(...) ((const struct member[]){__VA_ARGS__, {NULL, NULL}})

static void good(unsigned format, const struct member *changes, struct zarr_meta *meta)
{
    struct err err = {0};

    if (parse(format, changes, meta, &err) != 0)
        fail_msg("%s: %s: %s", changes->name, changes->value, err.msg);
}

static void bad(unsigned format, const char *name, const char *value, enum err_code code)
{
    struct zarr_meta meta;
    struct err err = {0};

    if (parse(format, CHANGES({name, value}), &meta, &err) == 0)
        fail_msg("v%u %s: %s was taken", format, name, value);
    if (err.code != code)
        fail_msg("v%u %s: %s: %s, not %s", format, name, value, err_code_name(err.code),
                 err_code_name(code));
    if (strncmp(err.msg, "call_x: ", 8) != 0)
        fail_msg("v%u %s: %s: message does not name the array: %s", format, name, value, err.msg);
    assert_null(meta.fill_string);
}

static void test_v2(void **state)
{
    struct zarr_meta meta;
    char name[24];

    (void)state;
    good(2, CHANGES({"order", "\"C\""}), &meta);
    assert_int_equal(meta.format, 2);
    assert_int_equal(meta.ndim, 3);
    assert_int_equal(meta.nchunks[0], 6);
    assert_int_equal(meta.nchunks[1], 6);
    assert_int_equal(meta.nchunks[2], 1);
    assert_int_equal(meta.chunk_elements, 800);
    assert_int_equal(meta.ncodecs, 1);
    assert_string_equal(meta.codec_text, "blosc(zstd, bitshuffle)");
    assert_string_equal(dtype_name(&meta.dtype, name, sizeof name), "int8");
    assert_int_equal(meta.separator, '.');
    assert_false(meta.key_prefix);
    zarr_meta_clear(&meta);
    good(2, CHANGES({"compressor", "null"}, {"order", "\"F\""}, {"dimension_separator", "\"/\""}),
         &meta);
    assert_true(meta.fortran);
    assert_string_equal(meta.codec_text, "none");
    assert_int_equal(meta.separator, '/');
    zarr_meta_clear(&meta);
    good(2, CHANGES({"dimension_separator", "null"}), &meta);
    assert_int_equal(meta.separator, '.');
    zarr_meta_clear(&meta);
    good(2, CHANGES({"shape", "[0,41,2]"}, {"dimension_separator", NULL}), &meta);
    assert_int_equal(meta.nchunks[0], 0);
    assert_int_equal(meta.separator, '.');
    zarr_meta_clear(&meta);
}

static void test_v2_dtypes(void **state)
{
    static const struct {
        const char *text, *name;
        bool big;
    } types[] = {
        {"\"|b1\"", "bool", false},    {"\"<i2\"", "int16", false},   {"\">i2\"", "int16", true},
        {"\"<i4\"", "int32", false},   {"\">i8\"", "int64", true},    {"\"|u1\"", "uint8", false},
        {"\"<u8\"", "uint64", false},  {"\"<f4\"", "float32", false}, {"\">f8\"", "float64", true},
        {"\"<f2\"", "float16", false}, {"\"|S12\"", "S12", false},    {"\"<U3\"", "U3", false},
        {"\">U3\"", "U3", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct zarr_meta meta;
        char name[24];

        good(2, CHANGES({"dtype", types[i].text}), &meta);
        assert_string_equal(dtype_name(&meta.dtype, name, sizeof name), types[i].name);
        assert_int_equal(meta.dtype.big_endian, types[i].big);
        zarr_meta_clear(&meta);
    }
}

static void test_v2_bad(void **state)
{
    static const struct {
        const char *name, *value;
        enum err_code code;
    } cases[] = {
        {"zarr_format", "3", ERR_CORRUPT},
        {"zarr_format", "\"2\"", ERR_CORRUPT},
        {"zarr_format", NULL, ERR_CORRUPT},
        {"shape", NULL, ERR_CORRUPT},
        {"shape", "257", ERR_CORRUPT},
        {"shape", "[257,41]", ERR_CORRUPT},
        {"shape", "[257,41,-2]", ERR_CORRUPT},
        {"shape", "[257,41,2.0]", ERR_CORRUPT},
        {"shape", "[257,41,\"2\"]", ERR_CORRUPT},
        {"shape", "[257,41,null]", ERR_CORRUPT},
        {"shape", "[9223372036854775807,9223372036854775807,2]", ERR_CORRUPT},
        {"shape", "[0,9223372036854775807,4]", ERR_CORRUPT},
        {"shape", "[99999999999999999999,1,2]", ERR_CORRUPT},
        {"shape", "[1,1,1,1,1,1,1,1,1]", ERR_UNSUPPORTED},
        {"chunks", "[50,0,2]", ERR_CORRUPT},
        {"chunks", "[50,8,-1]", ERR_CORRUPT},
        {"chunks", "[50,8]", ERR_CORRUPT},
        {"chunks", "true", ERR_CORRUPT},
        {"chunks", NULL, ERR_CORRUPT},
        {"chunks", "[4294967296,4294967296,2]", ERR_CORRUPT},
        {"chunks", "[4611686018427387904,1,2]", ERR_CORRUPT},
        {"dtype", NULL, ERR_CORRUPT},
        {"dtype", "5", ERR_CORRUPT},
        {"dtype", "[[\"a\",\"<i4\"]]", ERR_UNSUPPORTED},
        {"dtype", "\"\"", ERR_CORRUPT},
        {"dtype", "\"<i\"", ERR_CORRUPT},
        {"dtype", "\"<i3\"", ERR_CORRUPT},
        {"dtype", "\"|i2\"", ERR_CORRUPT},
        {"dtype", "\"=i2\"", ERR_CORRUPT},
        {"dtype", "\"<i16\"", ERR_CORRUPT},
        {"dtype", "\"<f1\"", ERR_CORRUPT},
        {"dtype", "\"|b2\"", ERR_CORRUPT},
        {"dtype", "\"<c8\"", ERR_UNSUPPORTED},
        {"dtype", "\"<M8[ns]\"", ERR_UNSUPPORTED},
        {"dtype", "\"|S0\"", ERR_CORRUPT},
        {"dtype", "\"|S-1\"", ERR_CORRUPT},
        {"dtype", "\"|S 1\"", ERR_CORRUPT},
        {"dtype", "\"|S99999999999\"", ERR_CORRUPT},
        {"dtype", "\"|U3\"", ERR_CORRUPT},
        {"dtype", "\"|O\"", ERR_UNSUPPORTED},
        {"order", "\"A\"", ERR_CORRUPT},
        {"order", NULL, ERR_CORRUPT},
        {"order", "1", ERR_CORRUPT},
        {"filters", "{}", ERR_CORRUPT},
        {"filters", "[{}]", ERR_CORRUPT},
        {"filters", "[7]", ERR_CORRUPT},
        {"filters", "[{\"id\":\"delta\",\"dtype\":\"<i4\"}]", ERR_UNSUPPORTED},
        {"filters", "[{\"id\":\"vlen-utf8\"}]", ERR_UNSUPPORTED},
        {"dimension_separator", "\"-\"", ERR_CORRUPT},
        {"dimension_separator", "1", ERR_CORRUPT},
        {"compressor", "{}", ERR_CORRUPT},
        {"compressor", "\"zstd\"", ERR_CORRUPT},
        {"compressor", "{\"id\":\"lzma\"}", ERR_UNSUPPORTED},
        {"fill_value", "128", ERR_CORRUPT},
        {"fill_value", "0.5", ERR_CORRUPT},
        {"fill_value", "\"NaN\"", ERR_CORRUPT},
        {"fill_value", "true", ERR_CORRUPT},
        {"fill_value", "[]", ERR_CORRUPT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        bad(2, cases[i].name, cases[i].value, cases[i].code);
}

static void test_not_json(void **state)
{
    static const char *const texts[] = {
        "",         "{", "[]", "null", "{\"zarr_format\":2,\"zarr_format\":2}", "{\"a\":\"\xff\"}",
        "\x00\x01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct zarr_meta meta;
        struct err err = {0};

        assert_int_equal(zarr_meta_parse_v2("a", texts[i], strlen(texts[i]), &meta, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_int_equal(zarr_meta_parse_v3("a", texts[i], strlen(texts[i]), &meta, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
    }
}

static void check_fill(const char *dtype, const char *value, const void *bytes, size_t n)
{
    struct zarr_meta meta;

    good(2, CHANGES({"fill_value", value}, {"dtype", dtype}), &meta);
    assert_memory_equal(meta.fill, bytes, n);
    zarr_meta_clear(&meta);
}

static void check_fill_string(const char *dtype, const char *filters, const char *value,
                              const char *expected)
{
    struct zarr_meta meta;

    good(2, CHANGES({"fill_value", value}, {"dtype", dtype}, {"filters", filters}), &meta);
    assert_string_equal(meta.fill_string != NULL ? meta.fill_string : "", expected);
    zarr_meta_clear(&meta);
}

/* In an array of strings. */
static void bad_fill_string(const char *value)
{
    struct zarr_meta meta;
    struct err err = {0};

    assert_int_equal(parse(2,
                           CHANGES({"fill_value", value}, {"dtype", "\"|O\""},
                                   {"filters", "[{\"id\":\"vlen-utf8\"}]"}),
                           &meta, &err),
                     -1);
    assert_non_null(strstr(err.msg, "fill_value"));
}

static void check_many_nans(size_t n, bool taken)
{
    json_error_t at;
    char *text = malloc(n * 4 + 2);
    json_t *top;

    for (size_t i = 0; i < n; i++)
        memcpy(text + 1 + i * 4, "NaN,", 4);
    text[0] = '[';
    text[n * 4] = ']';
    top = json_text_load(text, n * 4 + 1, 0, &at);
    assert_int_equal(json_array_size(top), taken ? n : 0);
    json_decref(top);
    free(text);
}

/* json.dumps writes these as they are, and zarr-python 3 did so with fill values (its issues 2741,
 * 2990). */
static void test_python_spelling(void **state)
{
    static const struct {
        const char *dtype, *fill;
    } wrong[] = {
        {"\"|i1\"", "NaN"},
        {"\"<u8\"", "18446744073709551616"},
        {"\"<u8\"", "-9223372036854775809"},
        {"\"<i8\"", "9223372036854775808"},
        {"\"|O\"", "NaN"},
        {"\"<f4\"", "NaNs"},
        {"\"<f4\"", "nan"},
        {"\"<f4\"", "+Infinity"},
        {"\"<u8\"", "018446744073709551615"},
        {"\"<u8\"", "\"18446744073709551615\""},
    };
    struct zarr_meta meta;
    uint32_t bits;

    (void)state;
    check_fill("\"<f8\"", "-Infinity", &(double){-__builtin_inf()}, 8);
    check_fill("\"<f4\"", "Infinity", &(float){__builtin_inff()}, 4);
    check_fill("\"<u8\"", "18446744073709551615", &(uint64_t){UINT64_MAX}, 8);
    check_fill("\"<u8\"", "9223372036854775808", &(uint64_t){UINT64_C(1) << 63}, 8);
    good(3,
         CHANGES({"fill_value", "NaN"}, {"data_type", "\"float32\""},
                 {"codecs", "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"big\"}}]"},
                 {"attributes", "{\"a \\\" NaN\":[NaN,-Infinity,12345678901234567890,\"NaN\"]}"}),
         &meta);
    memcpy(&bits, meta.fill, 4);
    assert_int_equal(bits, 0x7fc00000);
    zarr_meta_clear(&meta);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const bool is_object = strchr(wrong[i].dtype, 'O') != NULL;
        struct err err = {0};

        assert_int_equal(
            parse(2,
                  CHANGES({"fill_value", wrong[i].fill}, {"dtype", wrong[i].dtype},
                          {"filters", is_object ? "[{\"id\":\"vlen-utf8\"}]" : "null"}),
                  &meta, &err),
            -1);
    }
    check_many_nans(4096, true);
    check_many_nans(4097, false);
    bad(2, "shape", "[NaN,20,2]", ERR_CORRUPT);
    bad(2, "shape", "[18446744073709551615,20,2]", ERR_CORRUPT);
}

/* json.dumps writes any string of Python's; the reader below knows neither the character 0 nor half
 * a pair of surrogates, which a byte that is not UTF-8 is to Python. They do no harm but where they
 * would mean something. */
static void test_odd_strings(void **state)
{
    static const char *const odd[] = {"\\u0000",         "a\\u0000b",
                                      "\\udc80",         "\\uD800",
                                      "\\ud800\\u0041",  "\\ud83d\\ude00\\udfff",
                                      "\\\\\\u0000\\\"", "\\ud800\\ud83d\\ude00"};
    static const char *const plain[] = {"\\ud83d\\ude00", "\\\\u0000", "\\u0001"};
    char text[256];
    struct zarr_meta meta;

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        snprintf(text, sizeof text, "{\"%s\" : [\"%s\", \"x\"], \"y\": {\"z\": \"%s\"}}", odd[i],
                 odd[i], odd[i]);
        good(3, CHANGES({"attributes", text}), &meta);
        zarr_meta_clear(&meta);
        snprintf(text, sizeof text, "\"%s\"", odd[i]);
        bad_fill_string(text);
        snprintf(text, sizeof text, "\"bytes%s\"", odd[i]);
        bad(3, "chunk_key_encoding", text, ERR_CORRUPT);
        bad(2, "dtype", text, ERR_CORRUPT);
    }
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        snprintf(text, sizeof text, "{\"%s\": [\"\\u0000\", \"%s\"]}", plain[i], plain[i]);
        good(3, CHANGES({"attributes", text}), &meta);
        zarr_meta_clear(&meta);
    }
    bad(3, "attributes", "\"\\u00\"", ERR_CORRUPT);
    bad(3, "attributes", "\"\\u000", ERR_CORRUPT);
    bad(3, "attributes", "\"\\u0000", ERR_CORRUPT);
}

/* zarr-python 3.0 wrote arrays of "<U5" through vlen-utf8. */
static void test_fixed_through_vlen(void **state)
{
    struct zarr_meta meta;

    (void)state;
    good(2,
         CHANGES({"dtype", "\"<U5\""}, {"filters", "[{\"id\":\"vlen-utf8\"}]"},
                 {"fill_value", "\"xyz\""}),
         &meta);
    assert_int_equal(meta.dtype.kind, DTYPE_STRING);
    assert_int_equal(meta.dtype.size, 0);
    assert_int_equal(meta.nfilters, 0);
    assert_string_equal(meta.fill_string, "xyz");
    zarr_meta_clear(&meta);
    good(2, CHANGES({"dtype", "\"<U5\""}), &meta);
    assert_int_equal(meta.dtype.kind, DTYPE_UCS4);
    zarr_meta_clear(&meta);
}

/* What zarr-python made of chunks=False on an axis without elements (its pull request 4334). */
static void test_no_elements(void **state)
{
    struct zarr_meta meta;

    (void)state;
    for (unsigned format = 2; format <= 3; format++) {
        good(format,
             CHANGES({"shape", "[0,41,2]"},
                     {format == 2 ? "chunks" : "chunk_grid",
                      format == 2
                          ? "[0,8,2]"
                          : "{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":[0,8,2]}}"}),
             &meta);
        assert_int_equal(meta.chunk[0], 1);
        assert_int_equal(meta.nchunks[0], 0);
        assert_int_equal(meta.nchunks[1], 6);
        zarr_meta_clear(&meta);
    }
    bad(2, "chunks", "[50,8,0]", ERR_CORRUPT);
    bad(3, "chunk_grid", "{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":[50,8,0]}}",
        ERR_CORRUPT);
}

static void test_fill(void **state)
{
    static const char vlen[] = "[{\"id\":\"vlen-utf8\"}]";
    struct zarr_meta meta;
    uint32_t bits;

    (void)state;
    check_fill("\"|i1\"", "-2", &(int8_t){-2}, 1);
    check_fill("\"|u1\"", "255", &(uint8_t){255}, 1);
    check_fill("\">i2\"", "-1", &(int16_t){-1}, 2);
    check_fill("\"<i4\"", "7.0", &(int32_t){7}, 4);
    check_fill("\"<i8\"", "-9223372036854775808", &(int64_t){INT64_MIN}, 8);
    check_fill("\"|b1\"", "true", &(uint8_t){1}, 1);
    check_fill("\"|b1\"", "0", &(uint8_t){0}, 1);
    check_fill("\"<f4\"", "1.5", &(float){1.5f}, 4);
    check_fill("\"<f8\"", "\"-Infinity\"", &(double){-__builtin_inf()}, 8);
    check_fill("\"<f2\"", "\"Infinity\"", &(uint16_t){0x7c00}, 2);
    check_fill_string("\"|O\"", vlen, "\"\"", "");
    check_fill_string("\"|O\"", vlen, "0", "");
    check_fill_string("\"|O\"", vlen, "\"abc\"", "abc");
    check_fill_string("\"|S4\"", "null", "\"LgAAAA==\"", ".");
    check_fill_string("\"|S4\"", "null", "\"YWJjZA==\"", "abcd");
    check_fill_string("\"<U4\"", "null", "\"ab\"", "ab");
    good(3,
         CHANGES({"fill_value", "\"0x7f800001\""}, {"data_type", "\"float32\""},
                 {"codecs", "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}}]"}),
         &meta);
    memcpy(&bits, meta.fill, 4);
    assert_int_equal(bits, 0x7f800001);
    zarr_meta_clear(&meta);
}

static void test_v3(void **state)
{
    struct zarr_meta meta;

    (void)state;
    good(3, CHANGES({"attributes", "{}"}), &meta);
    assert_int_equal(meta.format, 3);
    assert_true(meta.key_prefix);
    assert_int_equal(meta.separator, '/');
    assert_string_equal(meta.codec_text, "zstd");
    zarr_meta_clear(&meta);
    good(3, CHANGES({"chunk_key_encoding", "{\"name\":\"v2\"}"}), &meta);
    assert_false(meta.key_prefix);
    assert_int_equal(meta.separator, '.');
    zarr_meta_clear(&meta);
    good(3, CHANGES({"chunk_key_encoding", "\"default\""}, {"codecs", "[\"bytes\",\"crc32c\"]"}),
         &meta);
    assert_int_equal(meta.codecs[0], CODEC_CRC32C);
    zarr_meta_clear(&meta);
    good(3,
         CHANGES({"codecs", "[{\"name\":\"transpose\",\"configuration\":{\"order\":[2,1,0]}},"
                            "{\"name\":\"bytes\"},{\"name\":\"numcodecs.zlib\"},\"crc32c\"]"}),
         &meta);
    assert_true(meta.fortran);
    assert_int_equal(meta.ncodecs, 2);
    assert_string_equal(meta.codec_text, "zlib + crc32c");
    zarr_meta_clear(&meta);
    good(3,
         CHANGES({"data_type", "\"string\""}, {"fill_value", "\"\""},
                 {"codecs", "[\"vlen-utf8\",\"gzip\"]"}),
         &meta);
    assert_int_equal(meta.dtype.kind, DTYPE_STRING);
    zarr_meta_clear(&meta);
    good(3,
         CHANGES({"data_type", "{\"name\":\"fixed_length_utf32\",\"configuration\":"
                               "{\"length_bytes\":12}}"},
                 {"fill_value", "\"\""},
                 {"codecs", "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"big\"}}]"}),
         &meta);
    assert_int_equal(meta.dtype.kind, DTYPE_UCS4);
    assert_int_equal(meta.dtype.size, 12);
    assert_true(meta.dtype.big_endian);
    zarr_meta_clear(&meta);
    good(3, CHANGES({"x-note", "{\"must_understand\":false}"}), &meta);
    zarr_meta_clear(&meta);
}

static void test_v3_bad(void **state)
{
    static const struct {
        const char *name, *value;
        enum err_code code;
    } cases[] = {
        {"zarr_format", "2", ERR_CORRUPT},
        {"node_type", "\"group\"", ERR_CORRUPT},
        {"node_type", NULL, ERR_CORRUPT},
        {"shape", "[1,2]", ERR_CORRUPT},
        {"shape", "[-1,2,3]", ERR_CORRUPT},
        {"data_type", "\"complex64\"", ERR_UNSUPPORTED},
        {"data_type", "\"r16\"", ERR_UNSUPPORTED},
        {"data_type", "{}", ERR_CORRUPT},
        {"data_type", "7", ERR_CORRUPT},
        {"data_type", NULL, ERR_CORRUPT},
        {"data_type", "\"int16\"", ERR_CORRUPT}, /* bytes without endian */
        {"data_type", "\"string\"", ERR_CORRUPT},
        {"data_type", "\"fixed_length_utf32\"", ERR_CORRUPT},
        {"chunk_grid", "{\"name\":\"rectilinear\"}", ERR_UNSUPPORTED},
        {"chunk_grid", "{\"name\":\"regular\"}", ERR_CORRUPT},
        {"chunk_grid", "{\"name\":\"regular\",\"configuration\":[]}", ERR_CORRUPT},
        {"chunk_grid", "{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":[50,0,2]}}",
         ERR_CORRUPT},
        {"chunk_grid", NULL, ERR_CORRUPT},
        {"chunk_key_encoding", "{\"name\":\"hashed\"}", ERR_UNSUPPORTED},
        {"chunk_key_encoding", "{}", ERR_CORRUPT},
        {"chunk_key_encoding", "{\"name\":\"default\",\"configuration\":{\"separator\":\"x\"}}",
         ERR_CORRUPT},
        {"fill_value", NULL, ERR_CORRUPT},
        {"fill_value", "\"0x00\"", ERR_CORRUPT},
        {"codecs", NULL, ERR_CORRUPT},
        {"codecs", "[]", ERR_CORRUPT},
        {"codecs", "[{\"name\":\"zstd\"}]", ERR_UNSUPPORTED},
        {"codecs", "[{\"name\":\"bytes\"},{\"name\":\"bytes\"}]", ERR_UNSUPPORTED},
        {"codecs", "[{\"name\":\"bytes\"},{\"name\":\"nonesuch\"}]", ERR_UNSUPPORTED},
        {"codecs", "[{\"name\":\"sharding_indexed\",\"configuration\":{}}]", ERR_CORRUPT},
        {"codecs", "[{\"name\":\"vlen-utf8\"}]", ERR_CORRUPT},
        {"codecs", "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"middle\"}}]", ERR_CORRUPT},
        {"codecs", "[{\"name\":\"transpose\",\"configuration\":{\"order\":[1,1,2]}},\"bytes\"]",
         ERR_CORRUPT},
        {"codecs", "[{\"name\":\"transpose\",\"configuration\":{\"order\":[1,0,3]}},\"bytes\"]",
         ERR_CORRUPT},
        {"codecs", "[{\"name\":\"transpose\",\"configuration\":{\"order\":[1,0]}},\"bytes\"]",
         ERR_CORRUPT},
        {"codecs", "[{\"name\":\"transpose\"},\"bytes\"]", ERR_CORRUPT},
        {"codecs", "[{\"nom\":\"bytes\"}]", ERR_CORRUPT},
        {"codecs",
         "[\"bytes\",\"zstd\",\"zstd\",\"zstd\",\"zstd\",\"zstd\",\"zstd\",\"zstd\",\"zstd\","
         "\"zstd\"]",
         ERR_UNSUPPORTED},
        {"storage_transformers", "[{\"name\":\"x\"}]", ERR_UNSUPPORTED},
        {"new_thing", "{\"must_understand\":true}", ERR_UNSUPPORTED},
        {"new_thing", "7", ERR_UNSUPPORTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        bad(3, cases[i].name, cases[i].value, cases[i].code);
}

/* Two transposes in a row are one; an axis of length 1 makes no difference. */
static void test_transpose(void **state)
{
    struct zarr_meta meta;

    (void)state;
    good(3,
         CHANGES({"codecs", "[{\"name\":\"transpose\",\"configuration\":{\"order\":[1,2,0]}},"
                            "{\"name\":\"transpose\",\"configuration\":{\"order\":[1,0,2]}},"
                            "\"bytes\"]"}),
         &meta);
    assert_true(meta.fortran);
    assert_memory_equal(meta.axes, ((uint8_t[]){2, 1, 0}), 3);
    zarr_meta_clear(&meta);
    good(3,
         CHANGES({"codecs", "[{\"name\":\"transpose\",\"configuration\":{\"order\":[1,2,0]}},"
                            "{\"name\":\"transpose\",\"configuration\":{\"order\":[2,0,1]}},"
                            "\"bytes\"]"}),
         &meta);
    assert_false(meta.fortran);
    zarr_meta_clear(&meta);
    good(2, CHANGES({"order", "\"F\""}, {"chunks", "[50,1,1]"}), &meta);
    assert_false(meta.fortran);
    zarr_meta_clear(&meta);
}

#define INDEX_CODECS                                                                               \
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}},{\"name\":\"crc32c\"}]"
#define SHARDS_CODEC(shape, inner, index, more)                                                    \
    "{\"name\":\"sharding_indexed\",\"configuration\":{\"chunk_shape\":" shape                     \
    ",\"codecs\":" inner ",\"index_codecs\":" index more "}}"
#define SHARDS(shape, inner, index, more) "[" SHARDS_CODEC(shape, inner, index, more) "]"

static void test_sharding(void **state)
{
    static const struct {
        const char *codecs;
        enum err_code code;
    } cases[] = {
        {SHARDS("[25,4]", "[\"bytes\"]", INDEX_CODECS, ""), ERR_CORRUPT},
        {SHARDS("[25,4,0]", "[\"bytes\"]", INDEX_CODECS, ""), ERR_CORRUPT},
        {SHARDS("[25,3,2]", "[\"bytes\"]", INDEX_CODECS, ""), ERR_CORRUPT},
        {SHARDS("[100,8,2]", "[\"bytes\"]", INDEX_CODECS, ""), ERR_CORRUPT},
        {SHARDS("[25,4,2]", "[]", INDEX_CODECS, ""), ERR_CORRUPT},
        {SHARDS("[25,4,2]", "{}", INDEX_CODECS, ""), ERR_CORRUPT},
        {SHARDS("[25,4,2]", "[\"bytes\"]", "[]", ""), ERR_CORRUPT},
        {SHARDS("[25,4,2]", "[\"bytes\"]", "null", ""), ERR_CORRUPT},
        {SHARDS("[25,4,2]", "[\"bytes\"]", "[\"bytes\"]", ""), ERR_CORRUPT},
        {SHARDS("[25,4,2]", "[\"bytes\"]", INDEX_CODECS, ",\"index_location\":\"middle\""),
         ERR_CORRUPT},
        {SHARDS("[25,4,2]", "[\"bytes\"]", INDEX_CODECS, ",\"index_location\":1"), ERR_CORRUPT},
        {SHARDS("[25,4,2]", "[\"bytes\"]", "[\"zstd\"]", ""), ERR_UNSUPPORTED},
        {SHARDS("[25,4,2]", "[\"bytes\"]",
                "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"big\"}},\"gzip\"]", ""),
         ERR_UNSUPPORTED},
        {SHARDS("[25,4,2]", SHARDS("[5,3,2]", "[\"bytes\"]", INDEX_CODECS, ""), INDEX_CODECS, ""),
         ERR_CORRUPT},
        {SHARDS("[25,4,2]",
                SHARDS("[5,4,2]",
                       SHARDS("[5,2,2]", SHARDS("[1,1,1]", "[\"bytes\"]", INDEX_CODECS, ""),
                              INDEX_CODECS, ""),
                       INDEX_CODECS, ""),
                INDEX_CODECS, ""),
         ERR_UNSUPPORTED},
        {SHARDS("[25,4,2]",
                "[\"bytes\"," SHARDS_CODEC("[5,4,2]", "[\"bytes\"]", INDEX_CODECS, "") "]",
                INDEX_CODECS, ""),
         ERR_UNSUPPORTED},
        {"[{\"name\":\"numcodecs.delta\",\"configuration\":{}}," SHARDS_CODEC(
             "[25,4,2]", "[\"bytes\"]", INDEX_CODECS, "") "]",
         ERR_UNSUPPORTED},
        {"[{\"name\":\"sharding_indexed\",\"configuration\":{}},\"gzip\"]", ERR_UNSUPPORTED},
        {"[{\"name\":\"transpose\",\"configuration\":{\"order\":[0,1,2]}},"
         "{\"name\":\"sharding_indexed\"}]",
         ERR_CORRUPT},
        {"[{\"name\":\"transpose\",\"configuration\":{\"order\":[2,0,1]}}," SHARDS_CODEC(
             "[25,4,2]", "[\"bytes\"]", INDEX_CODECS, "") "]",
         ERR_CORRUPT},
    };
    struct zarr_meta meta;

    (void)state;
    good(3,
         CHANGES({"codecs", SHARDS("[25,4,1]", "[\"bytes\",\"gzip\"]", INDEX_CODECS,
                                   ",\"index_location\":\"start\"")}),
         &meta);
    assert_int_equal(meta.sharding.nlevels, 1);
    assert_true(meta.sharding.levels[0].index_first && meta.sharding.levels[0].index_crc);
    assert_int_equal(meta.sharding.levels[0].nchunks, 8);
    assert_memory_equal(meta.chunk, ((uint64_t[]){25, 4, 1}), 24);
    assert_memory_equal(meta.nchunks, ((uint64_t[]){11, 11, 2}), 24);
    assert_string_equal(meta.codec_text, "sharded gzip");
    zarr_meta_clear(&meta);
    /* Shapes are those of the axes as they are by then: (50, 8, 2), (2, 8, 50), (8, 2, 50). */
    good(3,
         CHANGES(
             {"codecs",
              "[{\"name\":\"transpose\",\"configuration\":{\"order\":[2,1,0]}}," SHARDS_CODEC(
                  "[2,8,25]",
                  "[{\"name\":\"transpose\",\"configuration\":{\"order\":[1,0,2]}}," SHARDS_CODEC(
                      "[4,2,5]", "[\"bytes\",\"zstd\"]", INDEX_CODECS, "") "]",
                  INDEX_CODECS, "") "]"}),
         &meta);
    assert_int_equal(meta.sharding.nlevels, 2);
    assert_memory_equal(meta.sharding.levels[0].chunks, ((uint64_t[]){2, 1, 1}), 24);
    assert_memory_equal(meta.sharding.levels[0].axes, ((uint8_t[]){2, 1, 0}), 3);
    assert_memory_equal(meta.sharding.levels[1].chunks, ((uint64_t[]){5, 2, 1}), 24);
    assert_memory_equal(meta.sharding.levels[1].axes, ((uint8_t[]){1, 2, 0}), 3);
    assert_memory_equal(meta.sharding.chunks, ((uint64_t[]){10, 2, 1}), 24);
    assert_memory_equal(meta.chunk, ((uint64_t[]){5, 4, 2}), 24);
    assert_string_equal(meta.codec_text, "sharded sharded zstd");
    assert_true(meta.fortran);
    zarr_meta_clear(&meta);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        bad(3, "codecs", cases[i].codecs, cases[i].code);
}

static void test_filters(void **state)
{
    static const struct {
        const char *dtype, *filter;
        uint64_t nbytes; /* of 800 elements as filtered; 0 where the filter changes nothing */
    } fine[] = {
        {"\"<i4\"", "[{\"id\":\"delta\",\"dtype\":\"<i4\",\"astype\":\"<i2\"}]", 1600},
        {"\"<f4\"", "[{\"id\":\"delta\",\"dtype\":\"<f4\"}]", 3200},
        {"\"|b1\"", "[{\"id\":\"packbits\"}]", 101},
        {"\"<f4\"", "[{\"id\":\"bitround\",\"keepbits\":10}]", 0},
        {"\"<f8\"",
         "[{\"id\":\"fixedscaleoffset\",\"scale\":10,\"offset\":1,\"dtype\":\"<f8\","
         "\"astype\":\"|u1\"},{\"id\":\"delta\",\"dtype\":\"|u1\"}]",
         800},
        {"\"<i4\"", "[{\"id\":\"shuffle\",\"elementsize\":4}]", 3200},
    };
    static const struct {
        const char *filter;
        enum err_code code;
    } cases[] = {
        {"[{\"id\":\"delta\"}]", ERR_CORRUPT},
        {"[{\"id\":\"delta\",\"dtype\":\"<i2\"}]", ERR_UNSUPPORTED},
        {"[{\"id\":\"delta\",\"dtype\":\"|i1\",\"astype\":\"<f4\"}]", ERR_UNSUPPORTED},
        {"[{\"id\":\"delta\",\"dtype\":\"|i1\",\"astype\":7}]", ERR_CORRUPT},
        {"[{\"id\":\"packbits\"}]", ERR_UNSUPPORTED},
        {"[{\"id\":\"bitround\"}]", ERR_UNSUPPORTED},
        {"[{\"id\":\"fixedscaleoffset\",\"dtype\":\"|i1\"}]", ERR_CORRUPT},
        {"[{\"id\":\"fixedscaleoffset\",\"dtype\":\"|i1\",\"scale\":0,\"offset\":0}]", ERR_CORRUPT},
        {"[{\"id\":\"shuffle\",\"elementsize\":0}]", ERR_CORRUPT},
        {"[{\"id\":\"categorize\"}]", ERR_UNSUPPORTED},
        {"[{\"id\":\"shuffle\"},{\"id\":\"shuffle\"},{\"id\":\"shuffle\"},{\"id\":\"shuffle\"},"
         "{\"id\":\"shuffle\"}]",
         ERR_UNSUPPORTED},
    };
    struct zarr_meta meta;

    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        good(2, CHANGES({"dtype", fine[i].dtype}, {"filters", fine[i].filter}), &meta);
        assert_int_equal(meta.nfilters > 0, fine[i].nbytes > 0);
        if (fine[i].nbytes > 0)
            assert_int_equal(meta.filtered_nbytes, fine[i].nbytes);
        zarr_meta_clear(&meta);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        bad(2, "filters", cases[i].filter, cases[i].code);
}

/* Nested without end, and a document of megabytes. */
static void test_monsters(void **state)
{
    size_t n = 4000000;
    char *json = malloc(n + 1);

    (void)state;
    for (unsigned format = 2; format <= 3; format++) {
        struct zarr_meta meta;
        struct err err = {0};

        memset(json, '[', n);
        memcpy(json, "{\"shape\":", 9);
        assert_int_equal(format == 2 ? zarr_meta_parse_v2("x", json, n, &meta, &err)
                                     : zarr_meta_parse_v3("x", json, n, &meta, &err),
                         -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        for (size_t i = 10; i < n; i += 2)
            memcpy(json + i, "1,", 2);
        memcpy(json + n - 3, "1]}", 3);
        assert_int_equal(format == 2 ? zarr_meta_parse_v2("x", json, n, &meta, &err)
                                     : zarr_meta_parse_v3("x", json, n, &meta, &err),
                         -1);
        assert_true(err.code == ERR_CORRUPT || err.code == ERR_UNSUPPORTED);
    }
    free(json);
}

/* What is taken must hold together, whatever the text. */
static void check_sane(const struct zarr_meta *meta)
{
    uint64_t elements = 1;

    assert_true(meta->ndim <= ZARR_DIMS_MAX);
    assert_true(meta->ncodecs <= ZARR_CODECS_MAX);
    for (unsigned d = 0; d < meta->ndim; d++) {
        assert_true(meta->chunk[d] > 0);
        elements *= meta->chunk[d];
        assert_true(meta->nchunks[d] <= meta->shape[d]);
        assert_true(meta->sharding.chunks[d] > 0);
    }
    assert_int_equal(meta->chunk_elements, elements);
    assert_true(meta->separator == '.' || meta->separator == '/');
    assert_true(meta->dtype.size > 0 || meta->dtype.kind == DTYPE_STRING);
}

static void mutate(unsigned format, const struct member *base)
{
    static const char swaps[] = "0189-.,:[]{}\"\\e nt\x01\xff";
    char json[2048];
    size_t n;

    make_json(base, CHANGES({"order", "\"C\""}), json, sizeof json);
    n = strlen(json);
    for (size_t at = 0; at < n; at++)
        for (size_t k = 0; k < sizeof swaps; k++) {
            char keep = json[at];
            struct zarr_meta meta;
            struct err err = {0};

            json[at] = swaps[k];
            if ((format == 2 ? zarr_meta_parse_v2("x", json, n, &meta, &err)
                             : zarr_meta_parse_v3("x", json, n, &meta, &err)) == 0)
                check_sane(&meta);
            else
                assert_true(err.code == ERR_CORRUPT || err.code == ERR_UNSUPPORTED);
            zarr_meta_clear(&meta);
            json[at] = keep;
        }
}

static const struct member sharded_members[] = {
    {"zarr_format", "3"},
    {"node_type", "\"array\""},
    {"shape", "[257,41,2]"},
    {"data_type", "\"int8\""},
    {"chunk_grid", "{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":[50,8,2]}}"},
    {"chunk_key_encoding", "\"default\""},
    {"fill_value", "0"},
    {"codecs", SHARDS("[25,4,1]", "[\"bytes\",\"gzip\"]", INDEX_CODECS, "")},
    {NULL, NULL},
};

static void test_mutations(void **state)
{
    (void)state;
    mutate(2, v2_members);
    mutate(3, v3_members);
    mutate(3, sharded_members);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_v2_dtypes),
        cmocka_unit_test(test_v2_bad),
        cmocka_unit_test(test_not_json),
        cmocka_unit_test(test_python_spelling),
        cmocka_unit_test(test_odd_strings),
        cmocka_unit_test(test_no_elements),
        cmocka_unit_test(test_fixed_through_vlen),
        cmocka_unit_test(test_fill),
        cmocka_unit_test(test_v3),
        cmocka_unit_test(test_v3_bad),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_transpose),
        cmocka_unit_test(test_sharding),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_monsters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
