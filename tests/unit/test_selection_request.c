/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/selection_request.h"

#include "common/cleanup.h"
#include "common/memfd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_OF(name, text)                                                                        \
    {                                                                                              \
        name, text, sizeof(text) - 1                                                               \
    }

static const struct selection_request everything = {
    .regions = "1:2-3",
    .targets = "^4",
    .samples = "",
    .regions_file = FILE_OF("r.bed", "1\t0\t9\n"),
    .targets_file = FILE_OF("^t", "a\0b"),
    .samples_file = FILE_OF("s", ""),
    .regions_format = "bed",
    .targets_format = "auto",
    .force_samples = true,
    .include = "QUAL>1",
    .exclude = "ID=@x",
    .include_types = "snps",
    .exclude_types = "indels",
    .files = {FILE_OF("x", "rs1"), FILE_OF("y", "")},
    .nfiles = 2,
};

/* The same as it was sent from the beginning. */
static const char wire[] = "\x8e"
                           "\xa7regions\xc4\x05"
                           "1:2-3"
                           "\xa7targets\xc4\x02^4"
                           "\xa7samples\xc4\x00"
                           "\xa7include\xc4\x06QUAL>1"
                           "\xa7"
                           "exclude\xc4\x05ID=@x"
                           "\xa5types\xc4\x04snps"
                           "\xad"
                           "exclude_types\xc4\x06indels"
                           "\xaeregions_format\xc4\x03"
                           "bed"
                           "\xaetargets_format\xc4\x04"
                           "auto"
                           "\xacregions_file\x92\xc4\x05r.bed\xc4\x06"
                           "1\t0\t9\n"
                           "\xactargets_file\x92\xc4\x02^t\xc4\x03"
                           "a\0b"
                           "\xacsamples_file\x92\xc4\x01s\xc4\x00"
                           "\xad"
                           "force_samples\xc3"
                           "\xa5"
                           "files\x92\x92\xc4\x01x\xc4\x03rs1\x92\xc4\x01y\xc4\x00";

static void assert_text(const char *have, const char *due)
{
    assert_int_equal(have == NULL, due == NULL);
    if (due != NULL)
        assert_string_equal(have, due);
}

static void assert_file(const struct option_file *have, const struct option_file *due)
{
    assert_text(have->name, due->name);
    assert_int_equal(have->text == NULL, due->text == NULL);
    assert_int_equal(have->len, due->len);
    if (due->len > 0)
        assert_memory_equal(have->text, due->text, due->len);
}

static void assert_same(const struct selection_request *have, const struct selection_request *due)
{
    assert_text(have->regions, due->regions);
    assert_text(have->targets, due->targets);
    assert_text(have->samples, due->samples);
    assert_file(&have->regions_file, &due->regions_file);
    assert_file(&have->targets_file, &due->targets_file);
    assert_file(&have->samples_file, &due->samples_file);
    assert_text(have->regions_format, due->regions_format);
    assert_text(have->targets_format, due->targets_format);
    assert_int_equal(have->force_samples, due->force_samples);
    assert_text(have->include, due->include);
    assert_text(have->exclude, due->exclude);
    assert_text(have->include_types, due->include_types);
    assert_text(have->exclude_types, due->exclude_types);
    assert_int_equal(have->nfiles, due->nfiles);
    for (size_t i = 0; i < due->nfiles; i++)
        assert_file(&have->files[i], &due->files[i]);
}

/* Packs and unpacks; the caller frees what it gets. */
static struct selection_memory *round_trip(const struct selection_request *in,
                                           struct selection_request *out)
{
    struct selection_memory *memory = NULL;
    struct err err = {0};
    AUTO_CLOSE int fd = selection_request_pack(in, &err);

    if (fd < 0 || selection_request_unpack(fd, out, &memory, &err) != 0)
        fail_msg("%s", err.msg);
    assert_same(out, in);
    return memory;
}

static void test_wire_form(void **state)
{
    struct selection_request again;
    struct selection_memory *memory = round_trip(&everything, &again);
    const uint8_t *bytes;
    size_t len;

    (void)state;
    bytes = selection_memory_bytes(memory, &len);
    assert_int_equal(len, sizeof wire - 1);
    assert_memory_equal(bytes, wire, len);
    selection_memory_free(memory);
}

static void test_what_was_not_asked_for(void **state)
{
    const struct selection_request some[] = {
        {0},
        {.force_samples = true},
        {.samples = ""},
        {.samples_file = FILE_OF("s", "")},
    };
    struct selection_request again;
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        struct selection_memory *memory = round_trip(&some[i], &again);

        assert_int_equal(selection_request_is_empty(&some[i]), i == 0);
        assert_int_equal(selection_memory_bytes(memory, &len)[0], i == 0 ? 0x80 : 0x81);
        selection_memory_free(memory);
    }
}

static void assert_refused(const void *bytes, size_t len, const char *word)
{
    struct selection_request out;
    struct selection_memory *memory;
    struct err err = {0};
    AUTO_CLOSE int fd = memfd_of("selection", bytes, len, "it", &err);

    assert_true(fd >= 0);
    assert_int_equal(selection_request_unpack(fd, &out, &memory, &err), -1);
    assert_null(memory);
    assert_int_equal(err.code, ERR_PEER);
    if (strstr(err.msg, word) == NULL)
        fail_msg("'%s' does not say '%s'", err.msg, word);
}

static void test_refusals(void **state)
{
#define PACKET(text) text, sizeof text - 1
    static const struct {
        const char *bytes;
        size_t len;
        const char *word;
    } bad[] = {
        {PACKET(""), "selection"},
        {PACKET("\x90"), "map"},
        {PACKET("\x81\xa7regions\xa1"
                "1"),
         "\"regions\""},
        {PACKET("\x81\xa7regions\xc4\x03"
                "1\0"
                "2"),
         "0 byte"},
        {PACKET("\x82\xa7regions\xc4\x01"
                "1\xa7regions\xc4\x01"
                "2"),
         "twice"},
        {PACKET("\x81\xa7regionz\xc4\x01"
                "1"),
         "regionz"},
        {PACKET("\x81\x01\xc4\x01"
                "1"),
         "belong"},
        {PACKET("\x81\xad"
                "force_samples\xc2"),
         "force_samples"},
        {PACKET("\x81\xad"
                "force_samples\x01"),
         "force_samples"},
        {PACKET("\x81\xacregions_file\xc4\x01x"), "regions_file"},
        {PACKET("\x81\xacregions_file\x91\xc4\x01x"), "regions_file"},
        {PACKET("\x81\xacregions_file\x93\xc4\x01x\xc4\x01x\xc4\x01x"), "regions_file"},
        {PACKET("\x81\xacregions_file\x92\xa1x\xc4\x01x"), "regions_file"},
        {PACKET("\x81\xacregions_file\x92\xc4\x01x\xa1x"), "regions_file"},
        {PACKET("\x81\xa5"
                "files\x90"),
         "files"},
        {PACKET("\x81\xa5"
                "files\xdc\x00\x41"),
         "promises"},
        {PACKET("\x81\xa5"
                "files\xdd\xff\xff\xff\xff"),
         "promises"},
        {PACKET("\x81\xa7regions\xc6\xff\xff\xff\xff"), "promises"},
        {PACKET("\x80\x80"), "after its end"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(bad[i].bytes, bad[i].len, bad[i].word);
    for (size_t len = 0; len + 1 < sizeof wire; len++)
        assert_refused(wire, len, "selection");
}

static void test_too_many_files(void **state)
{
    struct selection_request request = {.nfiles = SELECTION_FILES_MAX + 1};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < SELECTION_FILES_MAX; i++)
        request.files[i] = (struct option_file)FILE_OF("x", "y");
    assert_int_equal(selection_request_pack(&request, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_form),
        cmocka_unit_test(test_what_was_not_asked_for),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_too_many_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
