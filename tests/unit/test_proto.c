/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cleanup.h"
#include "proto/proto.h"

#include <errno.h>
#include <limits.h>
#include <msgpack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t fingerprint[PROTO_FINGERPRINT] = "0123456789abcdefghijklmnopqrstuv";

/* A message and what it must look like on the wire. */
struct sample {
    struct msg msg;
    const char *wire;
};

#define VIEW                                                                                       \
    {                                                                                              \
        .formats = {"plink", "bgen"}, .nformats = 2, .formats_optional = true, .basename = "b",    \
        .settings = {{"plink", "no-fam", ""}, {"bgen", "fid", "0"}}, .nsettings = 2,               \
        .min_alleles = 2, .max_alleles = 3, .absent_fill = true, .has_selection = true             \
    }
#define VIEW_WIRE                                                                                  \
    "{\"formats\"=>[\"plink\", \"bgen\"], \"optional\"=>true, \"basename\"=>\"b\", "               \
    "\"options\"=>[[\"plink\", \"no-fam\", \"\"], [\"bgen\", \"fid\", \"0\"]], "                   \
    "\"min_alleles\"=>2, \"max_alleles\"=>3, \"follow_links\"=>false, \"absent_fill\"=>true, "     \
    "\"selection\"=>true}"
#define FP_WIRE "\"0123456789abcdefghijklmnopqrstuv\""

static const struct sample samples[] = {
    {{MSG_HELLO, {.hello = {.version = 1, .program = "vczfs", .pid = 4711}}},
     "{\"t\"=>\"hello\", \"version\"=>1, \"program\"=>\"vczfs\", \"pid\"=>4711}"},
    {{MSG_OPEN, {.open = {.id = 1, .store = "/s.vcz", .view = VIEW}}},
     "{\"t\"=>\"open\", \"id\"=>1, \"store\"=>\"/s.vcz\", \"view\"=>" VIEW_WIRE
     ", \"resume\"=>false}"},
    {{MSG_OPEN,
      {.open = {.id = 1, .store = "/s.vcz", .view = VIEW, .resume = true, .has_state = true}}},
     "{\"t\"=>\"open\", \"id\"=>1, \"store\"=>\"/s.vcz\", \"view\"=>" VIEW_WIRE
     ", \"resume\"=>true, \"mark\"=>\"0123456789abcdef\", \"state\"=>true}"},
    {{MSG_INFO,
      {.info = {.id = 2, .store = "/s.vcz", .view = VIEW, .json = true, .consumer = "saige"}}},
     "{\"t\"=>\"info\", \"id\"=>2, \"store\"=>\"/s.vcz\", \"view\"=>" VIEW_WIRE
     ", \"json\"=>true, \"check\"=>false, \"for\"=>\"saige\"}"},
    {{MSG_READ, {.read = {.id = 3, .file = 4, .handle = 5, .offset = 6, .length = 7}}},
     "{\"t\"=>\"read\", \"id\"=>3, \"file\"=>4, \"fh\"=>5, \"off\"=>6, \"len\"=>7}"},
    {{MSG_RETURN, {.ret = {.leases = {8, 0, UINT64_MAX}, .nleases = 3}}},
     "{\"t\"=>\"return\", \"leases\"=>[8, 0, 18446744073709551615]}"},
    {{MSG_RELEASE, {.release = {.handle = 5}}}, "{\"t\"=>\"release\", \"fh\"=>5}"},
    {{MSG_STATS, {.stats = {.id = 9}}}, "{\"t\"=>\"stats\", \"id\"=>9}"},
    {{MSG_FETCH, {.fetch = {.id = 10, .file = 2, .mtime = 1234567890}}},
     "{\"t\"=>\"fetch\", \"id\"=>10, \"file\"=>2, \"mtime\"=>1234567890}"},
    {{MSG_EVIDENCE, {.stats = {0}}}, "{\"t\"=>\"evidence\"}"},
    {{MSG_HOLD, {.hold = {.chunks = {"call_genotype/0.0.0", "x"}, .nchunks = 2}}},
     "{\"t\"=>\"hold\", \"chunks\"=>[\"call_genotype/0.0.0\", \"x\"]}"},
    {{MSG_PROGRESS, {.progress = {.id = 1, .what = "sites", .done = 10, .total = 20}}},
     "{\"t\"=>\"progress\", \"id\"=>1, \"what\"=>\"sites\", \"done\"=>10, \"total\"=>20}"},
    {{MSG_NOTICE, {.notice = {.id = 1, .text = ""}}},
     "{\"t\"=>\"notice\", \"id\"=>1, \"text\"=>\"\"}"},
    {{MSG_FILE, {.file = {.id = 1, .file = 63, .name = "b.bed", .size = 1000, .buffer = 4096}}},
     "{\"t\"=>\"file\", \"id\"=>1, \"file\"=>63, \"name\"=>\"b.bed\", \"kind\"=>\"stream\", "
     "\"size\"=>1000, \"buffer\"=>4096}"},
    {{MSG_FILE, {.file = {.id = 1, .file = 1, .name = "b.bim", .kind = FILE_SIDECAR, .size = 1}}},
     "{\"t\"=>\"file\", \"id\"=>1, \"file\"=>1, \"name\"=>\"b.bim\", \"kind\"=>\"sidecar\", "
     "\"size\"=>1, \"buffer\"=>0}"},
    {{MSG_FILE, {.file = {.id = 1, .file = 2, .name = "b.bgen.bgi", .kind = FILE_LAZY}}},
     "{\"t\"=>\"file\", \"id\"=>1, \"file\"=>2, \"name\"=>\"b.bgen.bgi\", \"kind\"=>\"lazy\", "
     "\"size\"=>0, \"buffer\"=>0}"},
    {{MSG_OPENED,
      {.opened = {.id = 1,
                  .mtime = 14,
                  .nvariants = 11,
                  .nsamples = 12,
                  .nfiles = 3,
                  .arena_size = 13,
                  .has_state = true}}},
     "{\"t\"=>\"opened\", \"id\"=>1, \"fp\"=>" FP_WIRE
     ", \"mtime\"=>14, \"variants\"=>11, \"samples\"=>12, "
     "\"files\"=>3, \"arena\"=>13, \"state\"=>true}"},
    {{MSG_REPORT, {.report = {.id = 2, .size = 14, .problems = 3}}},
     "{\"t\"=>\"report\", \"id\"=>2, \"size\"=>14, \"problems\"=>3}"},
    {{MSG_SPAN, {.span = {.id = 3, .lease = 15, .offset = 6, .length = 16, .at = 17}}},
     "{\"t\"=>\"span\", \"id\"=>3, \"lease\"=>15, \"off\"=>6, \"len\"=>16, \"at\"=>17}"},
    {{MSG_COUNTERS,
      {.counters = {.id = 9,
                    .reads = 20,
                    .spans = 21,
                    .blocks = 22,
                    .bytes_decoded = 23,
                    .bytes_encoded = 24,
                    .spans_failed = 25,
                    .mixed_phase = 29,
                    .requests = 30,
                    .bytes_read = 31,
                    .opened = 32,
                    .waits = 33,
                    .most_in_flight = 34,
                    .unforeseen = 35,
                    .leases_held = 26,
                    .arena_used = 27,
                    .resident = 28}}},
     "{\"t\"=>\"counters\", \"id\"=>9, \"reads\"=>20, \"spans\"=>21, \"blocks\"=>22, "
     "\"decoded\"=>23, \"encoded\"=>24, \"failed\"=>25, \"mixed_phase\"=>29, "
     "\"requests\"=>30, \"read\"=>31, \"opened\"=>32, \"waits\"=>33, \"most_in_flight\"=>34, "
     "\"unforeseen\"=>35, \"held\"=>26, "
     "\"arena\"=>27, "
     "\"resident\"=>28}"},
    {{MSG_SIDECAR, {.sidecar = {.id = 10, .file = 2, .size = 4096, .sealed = true}}},
     "{\"t\"=>\"sidecar\", \"id\"=>10, \"file\"=>2, \"size\"=>4096, \"sealed\"=>true}"},
    {{MSG_ERROR, {.error = {.id = 3, .code = ERR_CORRUPT, .errnum = EIO, .text = "bad chunk"}}},
     "{\"t\"=>\"error\", \"id\"=>3, \"code\"=>\"corrupt\", \"errno\"=>5, "
     "\"text\"=>\"bad chunk\"}"},
};

#define NSAMPLES (sizeof samples / sizeof samples[0])

static void pack_sample(size_t i, struct buf *out)
{
    struct msg msg = samples[i].msg;
    struct err err;

    if (msg.type == MSG_OPENED)
        memcpy(msg.u.opened.fingerprint, fingerprint, sizeof fingerprint);
    if (msg.type == MSG_OPEN && msg.u.open.resume)
        memcpy(msg.u.open.mark, fingerprint, sizeof msg.u.open.mark);
    buf_reset(out);
    assert_int_equal(proto_pack(&msg, out, &err), 0);
}

/* From memory of exactly the packet's size, so that a sanitizer sees a read beyond it. */
static int unpack(const void *packet, size_t len, struct proto_scratch *scratch, struct msg *msg,
                  struct err *err)
{
    AUTO_FREE uint8_t *copy = malloc(len == 0 ? 1 : len);

    assert_non_null(copy);
    memcpy(copy, packet, len);
    return proto_unpack(copy, len, scratch, msg, err);
}

static void assert_refused(const void *packet, size_t len, struct proto_scratch *scratch,
                           const char *word)
{
    struct msg msg;
    struct err err = {0};

    assert_int_equal(unpack(packet, len, scratch, &msg, &err), -1);
    assert_int_equal(err.code, ERR_PEER);
    if (strstr(err.msg, word) == NULL)
        fail_msg("'%s' does not say '%s'", err.msg, word);
}

static void test_wire_form(void **state)
{
    CLEANUP(buf_free) struct buf packet = {0};
    msgpack_unpacked unpacked;
    char text[1024];

    (void)state;
    msgpack_unpacked_init(&unpacked);
    for (size_t i = 0; i < NSAMPLES; i++) {
        size_t end = 0;

        pack_sample(i, &packet);
        assert_int_equal(
            msgpack_unpack_next(&unpacked, (const char *)packet.data, packet.len, &end),
            MSGPACK_UNPACK_SUCCESS);
        assert_int_equal(end, packet.len);
        assert_true(msgpack_object_print_buffer(text, sizeof text, unpacked.data) > 0);
        assert_string_equal(text, samples[i].wire);
    }
    msgpack_unpacked_destroy(&unpacked);
}

/* Every field of the struct reaches the same place again: what was unpacked packs to the same
 * bytes. */
static void test_round_trip(void **state)
{
    struct proto_scratch *scratch = proto_scratch_new();
    CLEANUP(buf_free) struct buf packet = {0}, again = {0};
    bool seen[MSG_ERROR + 1] = {false};
    struct msg msg;
    struct err err;

    (void)state;
    for (size_t i = 0; i < NSAMPLES; i++) {
        pack_sample(i, &packet);
        assert_int_equal(unpack(packet.data, packet.len, scratch, &msg, &err), 0);
        assert_int_equal(msg.type, samples[i].msg.type);
        seen[msg.type] = true;
        buf_reset(&again);
        assert_int_equal(proto_pack(&msg, &again, &err), 0);
        assert_int_equal(again.len, packet.len);
        assert_memory_equal(again.data, packet.data, packet.len);
    }
    for (int i = 0; i <= MSG_ERROR; i++)
        assert_true(seen[i]);
    proto_scratch_free(scratch);
}

static void round_trip(const struct msg *in, struct proto_scratch *scratch, struct msg *out)
{
    CLEANUP(buf_free) struct buf packet = {0};
    struct err err;

    if (proto_pack(in, &packet, &err) != 0)
        fail_msg("%s", err.msg);
    if (unpack(packet.data, packet.len, scratch, out, &err) != 0)
        fail_msg("%s", err.msg);
}

static void test_extremes(void **state)
{
    struct proto_scratch *scratch = proto_scratch_new();
    struct msg out, in = {MSG_READ,
                          {.read = {.id = UINT64_MAX,
                                    .file = PROTO_FILES_MAX - 1,
                                    .handle = UINT64_MAX,
                                    .offset = PROTO_SIZE_MAX,
                                    .length = PROTO_SIZE_MAX}}};

    (void)state;
    round_trip(&in, scratch, &out);
    assert_memory_equal(&out.u.read, &in.u.read, sizeof in.u.read);

    in = (struct msg){MSG_RETURN, {.ret = {.nleases = PROTO_RETURN_MAX}}};
    for (size_t i = 0; i < PROTO_RETURN_MAX; i++)
        in.u.ret.leases[i] = UINT64_MAX - i;
    round_trip(&in, scratch, &out);
    assert_memory_equal(&out.u.ret, &in.u.ret, sizeof in.u.ret);

    in = (struct msg){MSG_COUNTERS, {.counters = {0}}};
    memset(&in.u.counters, 0xff, sizeof in.u.counters);
    round_trip(&in, scratch, &out);
    assert_memory_equal(&out.u.counters, &in.u.counters, sizeof in.u.counters);
    proto_scratch_free(scratch);
}

/* The largest packet there can be fits, and paths are bytes, not text. */
static void test_long_strings(void **state)
{
    struct proto_scratch *scratch = proto_scratch_new();
    struct msg out, in = {MSG_OPEN, {.open = {.id = 1}}};
    char text[PROTO_STRING_MAX + 2];

    (void)state;
    memset(text, 0xff, sizeof text);
    text[PROTO_STRING_MAX] = '\0';
    in.u.open.store = in.u.open.view.basename = text;
    for (size_t i = 0; i < PROTO_FORMATS_MAX; i++)
        in.u.open.view.formats[i] = text;
    in.u.open.view.nformats = PROTO_FORMATS_MAX;
    round_trip(&in, scratch, &out);
    assert_string_equal(out.u.open.store, text);
    assert_string_equal(out.u.open.view.basename, text);
    assert_string_equal(out.u.open.view.formats[PROTO_FORMATS_MAX - 1], text);
    proto_scratch_free(scratch);
}

static void assert_not_packed(const struct msg *msg)
{
    CLEANUP(buf_free) struct buf out = {0};
    struct err err = {0};

    buf_append_str(&out, "before");
    assert_int_equal(proto_pack(msg, &out, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_int_equal(out.len, strlen("before"));
}

static void test_pack_refuses(void **state)
{
    char longer[PROTO_STRING_MAX + 2], name[NAME_MAX + 2];
    const struct msg bad[] = {
        {MSG_HELLO, {.hello = {.program = NULL}}},
        {MSG_HELLO, {.hello = {.program = ""}}},
        {MSG_OPEN, {.open = {.store = longer, .view.basename = "b"}}},
        {MSG_OPEN, {.open = {.store = "/s", .view.basename = NULL}}},
        {MSG_OPEN, {.open = {.store = "/s", .view.basename = "b", .has_state = true}}},
        {MSG_INFO, {.info = {.store = "/s", .view = {.basename = "b", .nformats = 9}}}},
        {MSG_INFO, {.info = {.store = "/s", .view = {.basename = "b", .nformats = 1}}}},
        {MSG_READ, {.read = {.length = 0}}},
        {MSG_READ, {.read = {.length = 1, .file = PROTO_FILES_MAX}}},
        {MSG_READ, {.read = {.length = 1, .offset = PROTO_SIZE_MAX + UINT64_C(1)}}},
        {MSG_RETURN, {.ret = {.nleases = 0}}},
        {MSG_RETURN, {.ret = {.nleases = PROTO_RETURN_MAX + 1}}},
        {MSG_HOLD, {.hold = {.nchunks = PROTO_HOLD_MAX + 1}}},
        {MSG_HOLD, {.hold = {.chunks = {""}, .nchunks = 1}}},
        {MSG_PROGRESS, {.progress = {.what = "x", .done = 2, .total = 1}}},
        {MSG_FILE, {.file = {.name = "a/b"}}},
        {MSG_FILE, {.file = {.name = ".."}}},
        {MSG_FILE, {.file = {.name = name}}},
        {MSG_FILE, {.file = {.name = "b", .kind = FILE_LAZY, .size = 1}}},
        {MSG_FILE, {.file = {.name = "b", .buffer = 4097}}},
        {MSG_FILE, {.file = {.name = "b", .buffer = PROTO_BUFFER_MAX * 2}}},
        {MSG_FETCH, {.fetch = {.file = PROTO_FILES_MAX}}},
        {MSG_SIDECAR, {.sidecar = {.size = PROTO_SIZE_MAX + UINT64_C(1)}}},
        {MSG_INFO, {.info = {.store = "/s", .view = {.basename = "b", .nsettings = 65}}}},
        {MSG_INFO,
         {.info = {.store = "/s",
                   .view = {.basename = "b", .settings = {{"plink", "", ""}}, .nsettings = 1}}}},
        {MSG_INFO,
         {.info = {.store = "/s",
                   .view = {.basename = "b", .settings = {{"plink", "x", NULL}}, .nsettings = 1}}}},
        {MSG_OPENED, {.opened = {.nfiles = PROTO_FILES_MAX + 1}}},
        {MSG_SPAN, {.span = {.length = 0}}},
        {MSG_ERROR, {.error = {.code = ERR_NONE, .errnum = EIO, .text = ""}}},
        {MSG_ERROR, {.error = {.code = ERR_IO, .errnum = 0, .text = ""}}},
        {(enum msg_type)(MSG_ERROR + 1), {.stats = {0}}},
    };

    (void)state;
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_not_packed(&bad[i]);
}

/* What to do to pair `pair` of a map on its way into a packet. */
enum edit { EDIT_NOTHING, EDIT_DROP, EDIT_DOUBLE, EDIT_VALUE, EDIT_KEY, EDIT_EXTRA };

static const char *const edit_names[] = {"nothing", "drop", "double", "value", "key", "extra"};

#define NSTRANGERS 10

/* One value of each msgpack type but ext. */
static msgpack_object stranger(size_t i)
{
    static msgpack_object one = {.type = MSGPACK_OBJECT_NIL};
    static msgpack_object_kv pair = {{.type = MSGPACK_OBJECT_NIL}, {.type = MSGPACK_OBJECT_NIL}};
    const msgpack_object strangers[NSTRANGERS] = {
        {.type = MSGPACK_OBJECT_NIL},
        {.type = MSGPACK_OBJECT_BOOLEAN, .via.boolean = true},
        {.type = MSGPACK_OBJECT_POSITIVE_INTEGER, .via.u64 = 1},
        {.type = MSGPACK_OBJECT_NEGATIVE_INTEGER, .via.i64 = -1},
        {.type = MSGPACK_OBJECT_FLOAT32, .via.f64 = 1},
        {.type = MSGPACK_OBJECT_FLOAT64, .via.f64 = 1},
        {.type = MSGPACK_OBJECT_STR, .via.str = {1, "x"}},
        {.type = MSGPACK_OBJECT_BIN, .via.bin = {1, "x"}},
        {.type = MSGPACK_OBJECT_ARRAY, .via.array = {1, &one}},
        {.type = MSGPACK_OBJECT_MAP, .via.map = {1, &pair}},
    };

    return strangers[i];
}

static msgpack_object ext(void)
{
    return (msgpack_object){.type = MSGPACK_OBJECT_EXT, .via.ext = {1, 1, "x"}};
}

static uint32_t edited_size(uint32_t size, enum edit edit)
{
    if (edit == EDIT_DROP)
        return size - 1;
    return edit == EDIT_DOUBLE || edit == EDIT_EXTRA ? size + 1 : size;
}

/* Packs map with the edit done to pair `at`; value is the new key, value or extra value. */
static void pack_edited(msgpack_packer *packer, const msgpack_object_map *map, uint32_t at,
                        enum edit edit, msgpack_object value)
{
    const msgpack_object extra = {.type = MSGPACK_OBJECT_STR, .via.str = {5, "extra"}};

    msgpack_pack_map(packer, edited_size(map->size, edit));
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object_kv *kv = &map->ptr[i];

        if (i == at && edit == EDIT_DROP)
            continue;
        msgpack_pack_object(packer, i == at && edit == EDIT_KEY ? value : kv->key);
        msgpack_pack_object(packer, i == at && edit == EDIT_VALUE ? value : kv->val);
        if (i == at && edit == EDIT_DOUBLE) {
            msgpack_pack_object(packer, kv->key);
            msgpack_pack_object(packer, kv->val);
        }
    }
    if (edit == EDIT_EXTRA) {
        msgpack_pack_object(packer, extra);
        msgpack_pack_object(packer, value);
    }
}

struct victim {
    const msgpack_object_map *map;   /* the message */
    const msgpack_object_map *inner; /* its view, or NULL: edit the message itself */
    uint32_t inner_at;
    struct proto_scratch *scratch;
};

static void refuse_edit(const struct victim *victim, uint32_t at, enum edit edit,
                        msgpack_object value)
{
    msgpack_sbuffer packet, inner;
    msgpack_packer packer;
    msgpack_unpacked view;
    size_t end = 0;
    struct msg msg;
    struct err err = {0};

    msgpack_sbuffer_init(&packet);
    msgpack_sbuffer_init(&inner);
    msgpack_unpacked_init(&view);
    if (victim->inner == NULL) {
        msgpack_packer_init(&packer, &packet, msgpack_sbuffer_write);
        pack_edited(&packer, victim->map, at, edit, value);
    } else {
        msgpack_packer_init(&packer, &inner, msgpack_sbuffer_write);
        pack_edited(&packer, victim->inner, at, edit, value);
        msgpack_unpack_next(&view, inner.data, inner.size, &end);
        msgpack_packer_init(&packer, &packet, msgpack_sbuffer_write);
        pack_edited(&packer, victim->map, victim->inner_at, EDIT_VALUE, view.data);
    }
    if (edit == EDIT_NOTHING)
        assert_int_equal(unpack(packet.data, packet.size, victim->scratch, &msg, &err), 0);
    else if (unpack(packet.data, packet.size, victim->scratch, &msg, &err) == 0)
        fail_msg("message %s, key %u, edit %s: taken", msg_type_name(msg.type), at,
                 edit_names[edit]);
    else
        assert_int_equal(err.code, ERR_PEER);
    msgpack_unpacked_destroy(&view);
    msgpack_sbuffer_destroy(&inner);
    msgpack_sbuffer_destroy(&packet);
}

static void refuse_edits(const struct victim *victim)
{
    const msgpack_object_map *map = victim->inner != NULL ? victim->inner : victim->map;
    const msgpack_object nil = {.type = MSGPACK_OBJECT_NIL};

    refuse_edit(victim, 0, EDIT_NOTHING, nil);
    for (size_t i = 0; i < NSTRANGERS; i++)
        refuse_edit(victim, 0, EDIT_EXTRA, stranger(i));
    for (uint32_t at = 0; at < map->size; at++) {
        refuse_edit(victim, at, EDIT_DROP, nil);
        refuse_edit(victim, at, EDIT_DOUBLE, nil);
        refuse_edit(victim, at, EDIT_VALUE, ext());
        refuse_edit(victim, at, EDIT_KEY, ext());
        for (size_t i = 0; i < NSTRANGERS; i++) {
            msgpack_object other = stranger(i);

            refuse_edit(victim, at, EDIT_KEY, other);
            if (map->ptr[at].val.type != other.type)
                refuse_edit(victim, at, EDIT_VALUE, other);
        }
    }
}

static void test_keys(void **state)
{
    struct proto_scratch *scratch = proto_scratch_new();
    CLEANUP(buf_free) struct buf packet = {0};
    msgpack_unpacked unpacked;
    size_t nviews = 0;

    (void)state;
    msgpack_unpacked_init(&unpacked);
    for (size_t i = 0; i < NSAMPLES; i++) {
        struct victim victim = {.scratch = scratch};
        size_t end = 0;

        pack_sample(i, &packet);
        msgpack_unpack_next(&unpacked, (const char *)packet.data, packet.len, &end);
        victim.map = &unpacked.data.via.map;
        refuse_edits(&victim);
        for (uint32_t at = 0; at < victim.map->size; at++) {
            if (victim.map->ptr[at].val.type != MSGPACK_OBJECT_MAP)
                continue;
            victim.inner = &victim.map->ptr[at].val.via.map;
            victim.inner_at = at;
            refuse_edits(&victim);
            nviews++;
        }
    }
    assert_int_equal(nviews, 3);
    msgpack_unpacked_destroy(&unpacked);
    proto_scratch_free(scratch);
}

static void test_lengths(void **state)
{
    struct proto_scratch *scratch = proto_scratch_new();
    CLEANUP(buf_free) struct buf packet = {0};

    (void)state;
    for (size_t i = 0; i < NSAMPLES; i++) {
        pack_sample(i, &packet);
        for (size_t len = 0; len < packet.len; len++)
            assert_refused(packet.data, len, scratch, "packet");
        for (int byte = 0; byte < 256; byte++) {
            buf_append_char(&packet, (char)byte);
            assert_refused(packet.data, packet.len, scratch, "1 bytes after its end");
            packet.len--;
        }
    }
    proto_scratch_free(scratch);
}

/* Values that have the right type and are still not allowed. */
static void test_values(void **state)
{
#define PACKET(text) text, sizeof text - 1
#define ID1          "\xa2id\x01"
    static const struct {
        const char *packet;
        size_t len;
        const char *word;
    } bad[] = {
        {PACKET("\x81\xa1t\xa5wrong"), "name of a message"},
        {PACKET("\x81\xa1t\xa0"), "name of a message"},
        {PACKET("\x80"), "missing"},
        {PACKET("\x01"), "not a map"},
        {PACKET("\x82\xa1t\xa5stats\xa2id\xff"), "id"},
        {PACKET("\x82\xa1t\xa7release\xa3"
                "fh\0\x01"),
         "missing"},
        {PACKET("\x82\xa1t\xa6return\xa6leases\x90"), "leases"},
        {PACKET("\x82\xa1t\xa6return\xa6leases\x92\x01\xff"), "leases"},
        {PACKET("\x82\xa1t\xa6return\xa6leases\x91\xa1x"), "leases"},
        {PACKET("\x83\xa1t\xa6notice" ID1 "\xa4text\xa3"
                "a\0b"),
         "0 byte"},
        {PACKET("\x83\xa1t\xa6report" ID1 "\xa4size\xcf\x80\0\0\0\0\0\0\0"), "size"},
        {PACKET("\x86\xa1t\xa4read" ID1 "\xa4"
                "file\x40\xa2"
                "fh\0\xa3off\0\xa3len\1"),
         "file"},
        {PACKET("\x86\xa1t\xa4read" ID1 "\xa4"
                "file\0\xa2"
                "fh\0\xa3off\0\xa3len\0"),
         "len"},
        {PACKET("\x85\xa1t\xa8progress" ID1 "\xa4what\xa1x\xa4"
                "done\2\xa5total\1"),
         "done"},
        {PACKET("\x86\xa1t\xa4"
                "file" ID1 "\xa4"
                "file\0\xa4name\xa1.\xa4kind\xa6stream\xa4size\0"),
         "name"},
        {PACKET("\x86\xa1t\xa4"
                "file" ID1 "\xa4"
                "file\0\xa4name\xa3"
                "a/b\xa4kind\xa6stream"
                "\xa4size\0"),
         "name"},
        {PACKET("\x86\xa1t\xa4"
                "file" ID1 "\xa4"
                "file\0\xa4name\xa1x\xa4kind\xa6Stream\xa4size\0"),
         "kind"},
        {PACKET("\x87\xa1t\xa4"
                "file" ID1 "\xa4"
                "file\0\xa4name\xa1x\xa4kind\xa6stream\xa4size\0\xa6"
                "buffer\x03"),
         "buffer"},
        {PACKET("\x85\xa1t\xa5"
                "error" ID1 "\xa4"
                "code\xa4none\xa5"
                "errno\5\xa4text\xa0"),
         "code"},
        {PACKET("\x85\xa1t\xa5"
                "error" ID1 "\xa4"
                "code\xa4oops\xa5"
                "errno\5\xa4text\xa0"),
         "code"},
        {PACKET("\x85\xa1t\xa5"
                "error" ID1 "\xa4"
                "code\xa2io\xa5"
                "errno\0\xa4text\xa0"),
         "errno"},
        {PACKET("\x85\xa1t\xa5"
                "error" ID1 "\xa4"
                "code\xa2io\xa5"
                "errno\xcd\x10\0\xa4text\xa0"),
         "errno"},
    };
    struct proto_scratch *scratch = proto_scratch_new();

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(bad[i].packet, bad[i].len, scratch, bad[i].word);
    proto_scratch_free(scratch);
}

/* Other implementations need not choose msgpack's shortest form of a number or a string. */
static void test_long_forms(void **state)
{
    struct proto_scratch *scratch = proto_scratch_new();
    static const char packet[] =
        "\xdf\0\0\0\2\xdb\0\0\0\1t\xda\0\5stats\xd9\2id\xd3\0\0\0\0\0\0\0\7";
    struct msg msg;
    struct err err;

    (void)state;
    assert_int_equal(unpack(packet, sizeof packet - 1, scratch, &msg, &err), 0);
    assert_int_equal(msg.type, MSG_STATS);
    assert_int_equal(msg.u.stats.id, 7);
    proto_scratch_free(scratch);
}

/* A header may promise four billion elements. msgpack-c would make room for them at once; these
 * must be turned away before it sees them. */
static void test_promises(void **state)
{
    static const char *const headers[] = {"\xdd", "\xdf", "\xdb", "\xc6", "\xc9"};
    struct proto_scratch *scratch = proto_scratch_new();
    AUTO_FREE uint8_t *packet = calloc(1, PROTO_PACKET_MAX + 1);

    (void)state;
    assert_non_null(packet);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        memcpy(packet, headers[i], 1);
        memset(packet + 1, 0xff, 4);
        assert_refused(packet, 5, scratch, "promises more");
        assert_refused(packet, PROTO_PACKET_MAX, scratch, "promises more");
    }
    /* Backed by bytes, but far more than any message has. */
    memcpy(packet, "\xdc\xff\xfd", 3);
    memset(packet + 3, 0xc0, PROTO_PACKET_MAX - 3);
    assert_refused(packet, PROTO_PACKET_MAX, scratch, "more than 1024 values");
    /* Arrays in arrays, as deep as the packet is long. */
    memset(packet, 0x91, PROTO_PACKET_MAX);
    packet[PROTO_PACKET_MAX - 1] = 0xc0;
    assert_refused(packet, PROTO_PACKET_MAX, scratch, "nested deeper");
    assert_refused(packet, PROTO_PACKET_MAX + 1, scratch, "over the limit");
    assert_refused("\xc1", 1, scratch, "not msgpack");
    proto_scratch_free(scratch);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Whatever is accepted is a message that we could have sent. */
static bool try_packet(const uint8_t *packet, size_t len, struct proto_scratch *scratch)
{
    CLEANUP(buf_free) struct buf again = {0};
    struct msg msg;
    struct err err = {0};

    if (unpack(packet, len, scratch, &msg, &err) != 0) {
        assert_int_equal(err.code, ERR_PEER);
        return false;
    }
    if (proto_pack(&msg, &again, &err) != 0)
        fail_msg("unpacked, but cannot be packed: %s", err.msg);
    return true;
}

static void test_random_bytes(void **state)
{
    struct proto_scratch *scratch = proto_scratch_new();
    uint64_t seed = 20261120;
    uint8_t packet[256];

    (void)state;
    for (int round = 0; round < 100000; round++) {
        size_t len = next_random(&seed) % sizeof packet;

        for (size_t i = 0; i < len; i++)
            packet[i] = (uint8_t)next_random(&seed);
        /* A map in front, or nearly all end at their first byte. */
        if (len > 0 && round % 2 == 0)
            packet[0] = (uint8_t)(0x80 | (packet[0] & 0xf));
        try_packet(packet, len, scratch);
    }
    proto_scratch_free(scratch);
}

static void mutate(struct buf *packet, uint64_t *seed)
{
    size_t at = next_random(seed) % packet->len;

    switch (next_random(seed) % 4) {
    case 0:
        packet->data[at] = (uint8_t)next_random(seed);
        break;
    case 1:
        packet->data[at] ^= (uint8_t)(1u << next_random(seed) % 8);
        break;
    case 2:
        buf_append_char(packet, 0);
        memmove(packet->data + at + 1, packet->data + at, packet->len - 1 - at);
        packet->data[at] = (uint8_t)next_random(seed);
        break;
    default:
        if (packet->len == 1)
            break;
        memmove(packet->data + at, packet->data + at + 1, packet->len - 1 - at);
        packet->len--;
    }
}

static void test_mutations(void **state)
{
    struct proto_scratch *scratch = proto_scratch_new();
    CLEANUP(buf_free) struct buf packet = {0};
    uint64_t seed = 4711;
    size_t ntaken = 0;

    (void)state;
    for (size_t round = 0; round < 100000; round++) {
        pack_sample(round % NSAMPLES, &packet);
        for (uint64_t n = 1 + next_random(&seed) % 3; n > 0; n--)
            mutate(&packet, &seed);
        ntaken += try_packet(packet.data, packet.len, scratch);
    }
    /* Some mutations only change a value; if none was taken the test tests nothing. */
    assert_true(ntaken > 1000);
    assert_true(ntaken < 50000);
    proto_scratch_free(scratch);
}

static void test_nfds(void **state)
{
    struct msg msg = {MSG_OPENED, {.opened = {.has_state = true}}};

    (void)state;
    assert_int_equal(msg_nfds(&msg), 2);
    msg.u.opened.has_state = false;
    assert_int_equal(msg_nfds(&msg), 1);
    msg = (struct msg){MSG_FILE, {.file = {.kind = FILE_SIDECAR}}};
    assert_int_equal(msg_nfds(&msg), 1);
    msg.u.file.kind = FILE_STREAM;
    assert_int_equal(msg_nfds(&msg), 0);
    msg.u.file.kind = FILE_LAZY;
    assert_int_equal(msg_nfds(&msg), 0);
    msg = (struct msg){MSG_SIDECAR, {.sidecar = {0}}};
    assert_int_equal(msg_nfds(&msg), 1);
    msg = (struct msg){MSG_OPEN, {.open = {.resume = true, .has_state = true}}};
    assert_int_equal(msg_nfds(&msg), 1);
    msg = (struct msg){MSG_EVIDENCE, {.stats = {0}}};
    assert_int_equal(msg_nfds(&msg), 1);
    msg = (struct msg){MSG_REPORT, {.report = {0}}};
    assert_int_equal(msg_nfds(&msg), 1);
    msg = (struct msg){MSG_SPAN, {.span = {0}}};
    assert_int_equal(msg_nfds(&msg), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_form),    cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_extremes),     cmocka_unit_test(test_long_strings),
        cmocka_unit_test(test_pack_refuses), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_lengths),      cmocka_unit_test(test_values),
        cmocka_unit_test(test_long_forms),   cmocka_unit_test(test_promises),
        cmocka_unit_test(test_random_bytes), cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_nfds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
