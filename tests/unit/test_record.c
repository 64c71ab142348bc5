/* SPDX-License-Identifier: Apache-2.0 */
/* What a table of fields can say that no message does yet: lists of maps, and maps in them. */
#include "common/cleanup.h"
#include "proto/field_table.h"

#include <msgpack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct place {
    uint64_t row, column;
};

struct choice {
    const char *key, *value;
    struct place place;
    uint8_t mark[2];
};

struct toy {
    bool marked, listed;
    struct choice choices[3];
    size_t nchoices;
    uint64_t numbers[2];
    size_t nnumbers;
    struct place last;
    const char *note;
};

static const char *column_rule(const void *data)
{
    const struct place *place = data;

    return place->column < place->row ? "is less than \"row\"" : NULL;
}

static const struct field place_fields[] = {
    {NUMBER(place, "row", row, 0, 9)},
    {NUMBER(place, "column", column, 1, 9), .rule = column_rule},
};
static const struct record place_map = RECORD(place, place_fields);
static const struct record place_tuple = TUPLE(place, place_fields);

static const struct field choice_fields[] = {
    {STR(choice, "key", key, 1, 5)},
    {STR(choice, "value", value, 0, 5)},
    {STRUCT(choice, "place", place, place, place_tuple)},
    {BIN(choice, "mark", mark)},
};
static const struct record choice_map = RECORD(choice, choice_fields);

static const struct field toy_fields[] = {
    {BOOL(toy, "marked", marked)},
    {BOOL(toy, "listed", listed)},
    {LIST(toy, "choices", choices, struct choice, nchoices, 0, OF_STRUCTS(choice_map))},
    {LIST(toy, "numbers", numbers, uint64_t, nnumbers, 0, OF_NUMBERS), .optional = true},
    {STRUCT(toy, "last", last, place, place_map), .only_if = offsetof(struct toy, listed)},
    {STR(toy, "note", note, 0, 5), .optional = true},
};
static const struct record toy_map = RECORD(toy, toy_fields);

static const struct toy full = {
    .choices = {{"a", "", {0, 1}, {3, 4}}, {"b", "c", {1, 2}, {0, 0}}, {"d", "e", {9, 9}, {7, 7}}},
    .listed = true,
    .nchoices = 3,
    .numbers = {UINT64_MAX},
    .nnumbers = 1,
    .last = {2, 3},
    .note = "x",
};

static int pack(const struct toy *toy, struct buf *out, struct err *err)
{
    const struct record_report report = {"a ", "toy", NULL, ERR_USAGE, err};

    if (record_check(&toy_map, toy, &report) != 0)
        return -1;
    record_pack(&toy_map, toy, NULL, out);
    return 0;
}

static int unpack(const struct buf *packet, char *room, struct toy *toy, struct err *err)
{
    const struct record_report report = {"a ", "toy", NULL, ERR_PEER, err};
    struct value values[VALUES_MAX];

    *toy = (struct toy){0};
    if (values_parse(packet->data, packet->len, values, err) != 0)
        return -1;
    return record_unpack(&toy_map, values, false, room, toy, &report);
}

static void test_wire_form(void **state)
{
    CLEANUP(buf_free) struct buf packet = {0};
    msgpack_unpacked unpacked;
    char text[512];
    struct err err = {0};

    (void)state;
    assert_int_equal(pack(&full, &packet, &err), 0);
    msgpack_unpacked_init(&unpacked);
    assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)packet.data, packet.len, NULL),
                     MSGPACK_UNPACK_SUCCESS);
    msgpack_object_print_buffer(text, sizeof text, unpacked.data);
    assert_string_equal(
        text, "{\"marked\"=>false, \"listed\"=>true, \"choices\"=>["
              "{\"key\"=>\"a\", \"value\"=>\"\", \"place\"=>[0, 1], \"mark\"=>\"\\x03\\x04\"}, "
              "{\"key\"=>\"b\", \"value\"=>\"c\", \"place\"=>[1, 2], \"mark\"=>\"\\x00\\x00\"}, "
              "{\"key\"=>\"d\", \"value\"=>\"e\", \"place\"=>[9, 9], \"mark\"=>\"\\x07\\x07\"}], "
              "\"numbers\"=>[18446744073709551615], \"last\"=>{\"row\"=>2, \"column\"=>3}, "
              "\"note\"=>\"x\"}");
    msgpack_unpacked_destroy(&unpacked);
}

/* In memory of exactly the packet's size, and with no more room than that. */
static void test_round_trip(void **state)
{
    struct toy toys[] = {full, {.marked = true}, full, full}, out;
    struct err err = {0};

    (void)state;
    toys[2].nchoices = 1;
    toys[2].nnumbers = 0;
    toys[3].note = NULL;
    for (size_t i = 0; i < sizeof toys / sizeof toys[0]; i++) {
        CLEANUP(buf_free) struct buf packet = {0}, again = {0};
        AUTO_FREE char *room = NULL;

        assert_int_equal(pack(&toys[i], &packet, &err), 0);
        room = malloc(packet.len);
        if (unpack(&packet, room, &out, &err) != 0)
            fail_msg("%s", err.msg);
        assert_int_equal(out.nchoices, toys[i].nchoices);
        assert_int_equal(pack(&out, &again, &err), 0);
        assert_int_equal(again.len, packet.len);
        assert_memory_equal(again.data, packet.data, packet.len);
    }
}

/* Each fault is named by its key and the key that it is under, and is the same for who packs. */
static void test_faults(void **state)
{
    static const struct {
        const char *message;
        struct toy toy;
    } bad[] = {
        {"a toy: key \"choices.key\" is empty",
         {.listed = true, .nchoices = 1, .choices = {{"", "", {0, 1}, {0}}}, .last.column = 1}},
        {"a toy: key \"choices.value\" is too long",
         {.listed = true,
          .nchoices = 1,
          .choices = {{"a", "123456", {0, 1}, {0}}},
          .last.column = 1}},
        {"a toy: key \"place.column\" is not an integer in [1, 9]",
         {.listed = true, .nchoices = 1, .choices = {{"a", "b", {0, 0}, {0}}}, .last.column = 1}},
        {"a toy: key \"last.column\" is less than \"row\"",
         {.listed = true, .nchoices = 1, .choices = {{"a", "b", {0, 1}, {0}}}, .last = {3, 2}}},
        {"a toy: key \"note\" is too long", {.note = "123456"}},
    };
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CLEANUP(buf_free) struct buf packet = {0};
        struct toy out;
        char room[512];

        assert_int_equal(pack(&bad[i].toy, &packet, &err), -1);
        assert_string_equal(err.msg, bad[i].message);
        record_pack(&toy_map, &bad[i].toy, NULL, &packet);
        assert_int_equal(unpack(&packet, room, &out, &err), -1);
        assert_string_equal(err.msg, bad[i].message);
    }
}

static void test_counts(void **state)
{
    struct toy toy = full;
    struct err err = {0};
    CLEANUP(buf_free) struct buf packet = {0};

    (void)state;
    toy.nchoices = 4;
    assert_int_equal(pack(&toy, &packet, &err), -1);
    assert_string_equal(err.msg, "a toy: key \"choices\" is not an array of the due length");
    toy.nchoices = 3;
    toy.listed = false;
    assert_int_equal(pack(&toy, &packet, &err), -1);
    assert_string_equal(err.msg, "a toy: key \"last\" is set where it is not said");
}

/* Every packet with one byte changed is refused, or is another toy that can be said. */
static void test_mutations(void **state)
{
    CLEANUP(buf_free) struct buf packet = {0};
    AUTO_FREE char *room = NULL;
    size_t nrefused = 0;
    struct err err = {0};
    struct toy out;

    (void)state;
    assert_int_equal(pack(&full, &packet, &err), 0);
    room = malloc(packet.len);
    for (size_t at = 0; at < packet.len; at++) {
        const uint8_t was = packet.data[at];

        for (int byte = 0; byte < 256; byte++) {
            CLEANUP(buf_free) struct buf again = {0};

            packet.data[at] = (uint8_t)byte;
            if (unpack(&packet, room, &out, &err) != 0)
                nrefused++;
            else
                assert_int_equal(pack(&out, &again, &err), 0);
        }
        packet.data[at] = was;
    }
    assert_in_range(nrefused, packet.len * 128, packet.len * 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_form), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_faults),    cmocka_unit_test(test_counts),
        cmocka_unit_test(test_mutations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
