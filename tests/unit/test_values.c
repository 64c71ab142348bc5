/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of msgpack against msgpack-c, which packs what is read here and reads what was taken.
 */
#include "common/cleanup.h"
#include "proto/values.h"

#include <msgpack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 20000

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* From memory of exactly that size, so that a sanitizer sees a read beyond it. */
static int parse(const void *bytes, size_t len, struct value *values, uint8_t **copy,
                 struct err *err)
{
    *copy = malloc(len > 0 ? len : 1);
    assert_non_null(*copy);
    memcpy(*copy, bytes, len);
    return values_parse(*copy, len, values, err);
}

static enum value_type type_of(msgpack_object_type type)
{
    switch (type) {
    case MSGPACK_OBJECT_BOOLEAN:
        return VALUE_BOOL;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return VALUE_NUMBER;
    case MSGPACK_OBJECT_STR:
        return VALUE_STR;
    case MSGPACK_OBJECT_BIN:
        return VALUE_BIN;
    case MSGPACK_OBJECT_ARRAY:
        return VALUE_ARRAY;
    case MSGPACK_OBJECT_MAP:
        return VALUE_MAP;
    default:
        return VALUE_OTHER;
    }
}

static void assert_bytes(const struct value *value, uint32_t n, const char *bytes)
{
    assert_int_equal(value->n, n);
    if (n > 0)
        assert_memory_equal(value->bytes, bytes, n);
}

/* Returns what stands behind the value. */
static const struct value *assert_same(const struct value *value, const msgpack_object *object)
{
    const struct value *inner = value + 1;

    assert_int_equal(value->type, type_of(object->type));
    if (object->type == MSGPACK_OBJECT_BOOLEAN)
        assert_int_equal(value->number, object->via.boolean);
    if (object->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        assert_int_equal(value->number, object->via.u64);
    if (object->type == MSGPACK_OBJECT_STR)
        assert_bytes(value, object->via.str.size, object->via.str.ptr);
    if (object->type == MSGPACK_OBJECT_BIN)
        assert_bytes(value, object->via.bin.size, object->via.bin.ptr);
    if (object->type == MSGPACK_OBJECT_ARRAY) {
        assert_int_equal(value->n, object->via.array.size);
        for (uint32_t i = 0; i < value->n; i++)
            inner = assert_same(inner, &object->via.array.ptr[i]);
    }
    if (object->type == MSGPACK_OBJECT_MAP) {
        assert_int_equal(value->n, object->via.map.size);
        for (uint32_t i = 0; i < value->n; i++) {
            inner = assert_same(inner, &object->via.map.ptr[i].key);
            inner = assert_same(inner, &object->via.map.ptr[i].val);
        }
    }
    assert_ptr_equal(value_next(value), inner);
    return inner;
}

/* What was taken is what msgpack-c finds there, all of it. */
static void assert_understood(const void *bytes, size_t len, const struct value *values)
{
    msgpack_unpacked unpacked;
    size_t end = 0;

    msgpack_unpacked_init(&unpacked);
    assert_int_equal(msgpack_unpack_next(&unpacked, bytes, len, &end), MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(end, len);
    assert_same(values, &unpacked.data);
    msgpack_unpacked_destroy(&unpacked);
}

static void put_number(msgpack_packer *packer, uint64_t *seed)
{
    const uint64_t number = next_random(seed) >> next_random(seed) % 64;

    switch (next_random(seed) % 8) {
    case 0:
        msgpack_pack_fix_uint8(packer, (uint8_t)number);
        break;
    case 1:
        msgpack_pack_fix_uint16(packer, (uint16_t)number);
        break;
    case 2:
        msgpack_pack_fix_uint32(packer, (uint32_t)number);
        break;
    case 3:
        msgpack_pack_fix_int8(packer, (int8_t)number);
        break;
    case 4:
        msgpack_pack_fix_int16(packer, (int16_t)number);
        break;
    case 5:
        msgpack_pack_fix_int32(packer, (int32_t)number);
        break;
    case 6:
        msgpack_pack_fix_int64(packer, (int64_t)number);
        break;
    default:
        msgpack_pack_uint64(packer, number);
    }
}

static void put_bytes(msgpack_packer *packer, uint64_t *seed)
{
    static const char bytes[70000] = "strings";
    static const size_t lengths[] = {0, 1, 7, 31, 32, 255, 256, 65535, 65536};
    /* Short ones for the most part: the long are for their headers. */
    const size_t len = lengths[next_random(seed) % (next_random(seed) % 16 == 0 ? 9 : 4)];

    switch (next_random(seed) % 3) {
    case 0:
        msgpack_pack_str_with_body(packer, bytes, len);
        break;
    case 1:
        msgpack_pack_bin_with_body(packer, bytes, len);
        break;
    default:
        msgpack_pack_ext_with_body(packer, bytes, next_random(seed) % 2 == 0 ? len : 16, 3);
    }
}

static void put_value(msgpack_packer *packer, uint64_t *seed, int depth);

static void put_container(msgpack_packer *packer, uint64_t *seed, int depth)
{
    const size_t n = next_random(seed) % (depth == 0 ? 20 : 4);
    const bool map = next_random(seed) % 2 == 0;

    if (map)
        msgpack_pack_map(packer, n);
    else
        msgpack_pack_array(packer, n);
    for (size_t i = 0; i < (map ? 2 * n : n); i++)
        put_value(packer, seed, depth + 1);
}

static void put_value(msgpack_packer *packer, uint64_t *seed, int depth)
{
    switch (next_random(seed) % 8) {
    case 0:
        msgpack_pack_nil(packer);
        break;
    case 1:
        msgpack_pack_true(packer);
        break;
    case 2:
        msgpack_pack_false(packer);
        break;
    case 3:
        msgpack_pack_double(packer, 0.5);
        break;
    case 4:
        put_bytes(packer, seed);
        break;
    case 5:
        put_number(packer, seed);
        break;
    default:
        if (depth < VALUES_DEPTH_MAX)
            put_container(packer, seed, depth);
        else
            msgpack_pack_float(packer, -1);
    }
}

static void test_what_msgpack_packs(void **state)
{
    uint64_t seed = 20261129;
    struct value values[VALUES_MAX];
    struct err err = {0};

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        msgpack_sbuffer packet;
        msgpack_packer packer;
        AUTO_FREE uint8_t *copy = NULL;

        msgpack_sbuffer_init(&packet);
        msgpack_packer_init(&packer, &packet, msgpack_sbuffer_write);
        put_value(&packer, &seed, 0);
        if (parse(packet.data, packet.size, values, &copy, &err) != 0)
            fail_msg("%s", err.msg);
        assert_understood(copy, packet.size, values);
        msgpack_sbuffer_destroy(&packet);
    }
}

/* Whatever bytes are taken, msgpack-c takes, and as the same. It is not asked about what is
 * refused: it would make room for what that promises. */
static void test_any_bytes(void **state)
{
    uint64_t seed = 4711;
    struct value values[VALUES_MAX];
    struct err err = {0};
    int ntaken = 0;

    (void)state;
    for (int round = 0; round < 20 * ROUNDS; round++) {
        const size_t len = 1 + next_random(&seed) % 12;
        AUTO_FREE uint8_t *copy = NULL;
        uint8_t bytes[12];

        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)next_random(&seed);
        if (round % 2 == 0) /* a container or a string, of a length that may be there */
            bytes[0] = (uint8_t)(0x80 + (bytes[0] & 0x30) + len / 2);
        if (parse(bytes, len, values, &copy, &err) != 0) {
            assert_int_equal(err.code, ERR_PEER);
            continue;
        }
        assert_understood(copy, len, values);
        ntaken++;
    }
    assert_in_range(ntaken, ROUNDS / 2, 19 * ROUNDS);
}

/* As deep and as many as may be, and one more. */
static void test_limits(void **state)
{
    static const uint8_t deep[] = {0x91, 0x81, 0x01, 0x91, 0x91, 0x02};
    struct value values[VALUES_MAX];
    AUTO_FREE uint8_t *many = calloc(1, VALUES_MAX + 3);
    struct err err = {0};

    (void)state;
    assert_non_null(many);
    assert_int_equal(values_parse(deep, sizeof deep, values, &err), 0);
    assert_int_equal(values[0].whole, 6);
    assert_int_equal(values_parse("\x91\x91\x91\x91\x91\x02", 6, values, &err), -1);
    assert_non_null(strstr(err.msg, "nested"));
    memcpy(many, "\xdc\x03\xff", 3);
    assert_int_equal(values_parse(many, 3 + 0x3ff, values, &err), 0);
    assert_int_equal(values[0].whole, VALUES_MAX);
    memcpy(many, "\xdc\x04\x00", 3);
    assert_int_equal(values_parse(many, 3 + 0x400, values, &err), -1);
    assert_non_null(strstr(err.msg, "more than 1024"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_msgpack_packs),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
