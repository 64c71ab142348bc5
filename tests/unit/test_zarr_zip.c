/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zip stores: archives written here byte by byte, and archives that lie.
 */
#include "zarr_fixture.h"

#include "common/buf.h"
#include "common/bytes.h"
#include "encoderd/zarr/store/zip.h"

#include <libdeflate.h>
#include <pthread.h>

static struct fixture fix;
static char archive[128];

/* A member as it is to be written; zeros are what is right. */
struct entry {
    const char *name;
    const void *data;
    size_t n;
    bool deflated, descriptor, zip64;
    bool padded;                         /* an extra field in the local header only */
    const char *local_name;              /* NULL: name */
    uint32_t claim_nbytes, claim_stored; /* in the directory; 0: the true sizes */
    uint32_t claim_header;               /* + 1 */
    uint16_t flags, method;              /* added to, and in place of, the right ones */
    uint32_t attributes;
    uint32_t crc_error;
};

static void put16(struct buf *to, unsigned value)
{
    buf_append(to, (uint8_t[]){(uint8_t)value, (uint8_t)(value >> 8)}, 2);
}

static void put32(struct buf *to, uint32_t value)
{
    uint8_t bytes[4];

    put_le32(bytes, value);
    buf_append(to, bytes, 4);
}

static void put64(struct buf *to, uint64_t value)
{
    put32(to, (uint32_t)value);
    put32(to, (uint32_t)(value >> 32));
}

struct written {
    uint64_t header;
    size_t stored;
    uint32_t crc;
};

static void put_local(struct buf *to, const struct entry *entry, struct written *out)
{
    struct libdeflate_compressor *deflate = libdeflate_alloc_compressor(6);
    size_t room = libdeflate_deflate_compress_bound(deflate, entry->n);
    uint8_t *stored = malloc(room + entry->n + 1);
    const char *name = entry->local_name != NULL ? entry->local_name : entry->name;
    size_t extra = (entry->zip64 ? 20u : 0u) + (entry->padded ? 9u : 0u);

    out->header = to->len;
    out->stored = entry->n;
    out->crc = libdeflate_crc32(0, entry->data, entry->n) ^ entry->crc_error;
    if (entry->deflated)
        out->stored = libdeflate_deflate_compress(deflate, entry->data, entry->n, stored, room);
    else
        memcpy(stored, entry->data, entry->n);
    put32(to, 0x04034b50);
    put16(to, 45);
    put16(to, (entry->descriptor ? 8u : 0u) | entry->flags);
    put16(to, entry->method != 0 ? entry->method : entry->deflated ? 8 : 0);
    put32(to, 0);
    put32(to, entry->descriptor ? 0 : out->crc);
    put32(to, entry->descriptor ? 0 : entry->zip64 ? UINT32_MAX : (uint32_t)out->stored);
    put32(to, entry->descriptor ? 0 : entry->zip64 ? UINT32_MAX : (uint32_t)entry->n);
    put16(to, (unsigned)strlen(name));
    put16(to, (unsigned)extra);
    buf_append_str(to, name);
    if (entry->zip64) {
        put16(to, 1);
        put16(to, 16);
        put64(to, entry->n);
        put64(to, out->stored);
    }
    if (entry->padded)
        buf_append(to, "\x99\x99\5\0hello", 9);
    buf_append(to, stored, out->stored);
    if (entry->descriptor) {
        put32(to, 0x08074b50);
        put32(to, out->crc);
        put32(to, (uint32_t)out->stored);
        put32(to, (uint32_t)entry->n);
    }
    free(stored);
    libdeflate_free_compressor(deflate);
}

static void put_central(struct buf *to, const struct entry *entry, const struct written *at)
{
    uint32_t stored = entry->claim_stored != 0 ? entry->claim_stored : (uint32_t)at->stored;
    uint32_t nbytes = entry->claim_nbytes != 0 ? entry->claim_nbytes : (uint32_t)entry->n;

    put32(to, 0x02014b50);
    put16(to, 3 << 8 | 45);
    put16(to, 45);
    put16(to, (entry->descriptor ? 8u : 0u) | entry->flags);
    put16(to, entry->method != 0 ? entry->method : entry->deflated ? 8 : 0);
    put32(to, 0);
    put32(to, at->crc);
    put32(to, entry->zip64 ? UINT32_MAX : stored);
    put32(to, entry->zip64 ? UINT32_MAX : nbytes);
    put16(to, (unsigned)strlen(entry->name));
    put16(to, entry->zip64 ? 28 + 6 : 0);
    put16(to, 3);
    put16(to, 0);
    put16(to, 0);
    put32(to, entry->attributes);
    put32(to, entry->zip64               ? UINT32_MAX
              : entry->claim_header != 0 ? entry->claim_header - 1
                                         : (uint32_t)at->header);
    buf_append_str(to, entry->name);
    if (entry->zip64) {
        buf_append(to, "\x77\x77\2\0ab", 6);
        put16(to, 1);
        put16(to, 24);
        put64(to, nbytes);
        put64(to, stored);
        put64(to, at->header);
    }
    buf_append_str(to, "hey");
}

static void make_zip(struct buf *to, const struct entry *entries, size_t n, bool zip64,
                     const char *comment)
{
    struct written *written = calloc(n + 1, sizeof *written);
    uint64_t begin, end;

    buf_reset(to);
    for (size_t i = 0; i < n; i++)
        put_local(to, &entries[i], &written[i]);
    begin = to->len;
    for (size_t i = 0; i < n; i++)
        put_central(to, &entries[i], &written[i]);
    end = to->len;
    if (zip64) {
        put32(to, 0x06064b50);
        put64(to, 44);
        put32(to, 45 << 16 | 45);
        put64(to, 0);
        put64(to, n);
        put64(to, n);
        put64(to, end - begin);
        put64(to, begin);
        put32(to, 0x07064b50);
        put32(to, 0);
        put64(to, end);
        put32(to, 1);
    }
    put32(to, 0x06054b50);
    put32(to, 0);
    put16(to, zip64 ? UINT16_MAX : (unsigned)n);
    put16(to, zip64 ? UINT16_MAX : (unsigned)n);
    put32(to, zip64 ? UINT32_MAX : (uint32_t)(end - begin));
    put32(to, zip64 ? UINT32_MAX : (uint32_t)begin);
    put16(to, (unsigned)strlen(comment));
    buf_append_str(to, comment);
    free(written);
}

static int open_bytes(const void *data, size_t n, struct store **out, struct err *err)
{
    put_file(&fix, "s.zip", data, n);
    snprintf(archive, sizeof archive, "%s/s.zip", fix.dir);
    return store_open(archive, out, err);
}

static struct store *open_entries(const struct entry *entries, size_t n)
{
    struct buf bytes = {0};
    struct store *store;
    struct err err = {0};

    make_zip(&bytes, entries, n, false, "");
    if (open_bytes(bytes.data, bytes.len, &store, &err) != 0)
        fail_msg("%s", err.msg);
    buf_free(&bytes);
    return store;
}

static void expect_object(const struct store *store, const char *key, const void *data, size_t n)
{
    struct buf got = {0};
    struct err err = {0};
    bool found;

    if (store_read_all(store, key, (size_t)1 << 28, &got, &found, &err) != 0)
        fail_msg("%s", err.msg);
    assert_true(found);
    assert_int_equal(got.len, n);
    if (n > 0)
        assert_memory_equal(got.data, data, n);
    buf_free(&got);
}

static void expect_no_store(const void *data, size_t n, enum err_code code, const char *word)
{
    struct store *store = NULL;
    struct err err = {0};

    if (open_bytes(data, n, &store, &err) == 0)
        fail_msg("opened, not \"%s\"", word);
    if (err.code != code || strstr(err.msg, word) == NULL || strstr(err.msg, archive) == NULL)
        fail_msg("%s: %s, not %s", err_code_name(err.code), err.msg, word);
}

static int setup(void **state)
{
    (void)state;
    make_dir(&fix);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_fixture(&fix);
    return 0;
}

static int append_name(const char *name, void *arg)
{
    strcat(arg, name);
    strcat(arg, ",");
    return 0;
}

static char *long_text(size_t n)
{
    char *text = malloc(n);
    uint32_t x = 1;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        text[i] = (char)('a' + (x >> 24) % 7);
    }
    return text;
}

#define ZGROUP                                                                                     \
    {                                                                                              \
        .name = ".zgroup", .data = "{}", .n = 2                                                    \
    }

static void test_members(void **state)
{
    size_t n = 200000;
    char *text = long_text(n);
    const struct entry entries[] = {
        {.name = "b/0", .data = text, .n = n, .deflated = true},
        {.name = "b/1", .data = text, .n = n, .padded = true},
        {.name = "a/", .data = "", .n = 0},
        {.name = "a/x", .data = text, .n = 100, .deflated = true, .descriptor = true},
        {.name = "a/y", .data = text, .n = n, .deflated = true, .descriptor = true},
        ZGROUP,
        {.name = "a.b/z", .data = text, .n = n, .zip64 = true},
        {.name = "a0/z", .data = text, .n = n, .zip64 = true, .deflated = true},
        {.name = "a/empty", .data = "", .n = 0, .deflated = true},
        {.name = "a/sub/deep", .data = "d", .n = 1},
    };

    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        struct buf bytes = {0};
        struct store *store;
        struct object *object;
        struct err err = {0};
        char names[64] = "", part[1000];
        uint64_t nobjects, nbytes;

        make_zip(&bytes, entries, sizeof entries / sizeof entries[0], round % 2 == 1,
                 round >= 2 ? "a comment PK\5\6 with its own end" : "");
        if (open_bytes(bytes.data, bytes.len, &store, &err) != 0)
            fail_msg("%s", err.msg);
        if (round == 2)
            assert_int_equal(store_set_budget(store, 1000, &err), 0);
        for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
            if (strcmp(entries[i].name, "a/") != 0)
                expect_object(store, entries[i].name, entries[i].data, entries[i].n);
        assert_int_equal(store_object(store, "b/0", &object, &err), 0);
        for (size_t at = n - sizeof part; at > n / 9; at -= n / 9) {
            assert_int_equal(object_read(object, at, part, sizeof part, &err), 0);
            assert_memory_equal(part, text + at, sizeof part);
        }
        assert_int_equal(object_read(object, n - 1, part, 2, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        object_close(object);
        store_trim(store);
        assert_int_equal(store_object(store, "nope/0", &object, &err), 0);
        assert_null(object);
        assert_int_equal(store_object(store, "a", &object, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_int_equal(store_object(store, "a/sub", &object, &err), -1);
        assert_int_equal(store_children(store, "", append_name, names, &err), 0);
        assert_string_equal(names, "a,a.b,a0,b,");
        names[0] = '\0';
        assert_int_equal(store_children(store, "a", append_name, names, &err), 0);
        assert_string_equal(names, "sub,");
        assert_int_equal(store_usage(store, "a.b", &nobjects, &nbytes, &err), 0);
        assert_int_equal(nobjects, 1);
        assert_int_equal(nbytes, n);
        assert_int_equal(store_usage(store, "", &nobjects, &nbytes, &err), 0);
        assert_int_equal(nobjects, 9);
        store_free(store);
        buf_free(&bytes);
    }
    free(text);
}

struct answer {
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool is_there;
};

static void take_answer(struct store_range *range, void *arg)
{
    struct answer *answer = arg;

    (void)range;
    pthread_mutex_lock(&answer->lock);
    answer->is_there = true;
    pthread_cond_signal(&answer->came);
    pthread_mutex_unlock(&answer->lock);
}

static void submit_and_wait(const struct store *store, struct store_range *range)
{
    struct answer answer = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};

    range->done = take_answer;
    range->arg = &answer;
    store_submit(store, range);
    pthread_mutex_lock(&answer.lock);
    while (!answer.is_there)
        pthread_cond_wait(&answer.came, &answer.lock);
    pthread_mutex_unlock(&answer.lock);
}

/* [offset, offset + n) of a member, or its last n bytes; the object stays open. */
static struct object *check_range(const struct store *store, const struct entry *entry,
                                  struct object *object, uint64_t offset, uint64_t n, bool from_end,
                                  bool submitted)
{
    uint8_t *room = malloc(entry->n + 1);
    struct store_range range;

    store_range_init(&range, entry->name, object, offset, n, room);
    range.from_end = from_end;
    if (submitted)
        submit_and_wait(store, &range);
    else
        store_get(store, &range);
    if (range.state != RANGE_THERE)
        fail_msg("%s: %s", entry->name, range.err.msg);
    n = n < entry->n ? n : entry->n;
    offset = from_end ? entry->n - n : offset < entry->n ? offset : entry->n;
    n = n < entry->n - offset ? n : entry->n - offset;
    assert_int_equal(range.nread, n);
    assert_int_equal(range.size, entry->n);
    assert_memory_equal(room, (const char *)entry->data + offset, n);
    free(room);
    return range.object;
}

/* Stored, inflated into memory, taken small, streamed: each in ranges. */
static void test_ranges(void **state)
{
    const size_t n = 400000;
    char *text = long_text(n);
    const struct entry entries[] = {
        {.name = "stored", .data = text, .n = n, .padded = true},
        {.name = "deflated", .data = text, .n = n, .deflated = true},
        {.name = "small", .data = text, .n = 100, .deflated = true},
        {.name = "empty", .data = "", .n = 0},
        ZGROUP,
    };

    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        struct store *store = open_entries(entries, sizeof entries / sizeof entries[0]);

        if (round >= 2)
            assert_int_equal(store_set_budget(store, 1000, &(struct err){0}), 0);
        for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
            struct object *object = NULL;

            object = check_range(store, &entries[i], object, 5, n - 10, false, round % 2 == 1);
            assert_ptr_equal(check_range(store, &entries[i], object, 0, n, false, round % 2 == 1),
                             object);
            check_range(store, &entries[i], object, 0, n - 7, true, round % 2 == 1);
            check_range(store, &entries[i], object, n - 1, 9, false, round % 2 == 1);
            object_close(object);
        }
        store_free(store);
    }
    free(text);
}

/* What was inflated is had at once, and nothing that would have to be. */
static void test_inflated_at_once(void **state)
{
    const size_t n = 100000;
    char *text = long_text(n);
    const struct entry entries[] = {{.name = "x", .data = text, .n = n, .deflated = true}, ZGROUP};
    struct store *store = open_entries(entries, 2);
    struct store_range range;
    struct object *object;
    uint8_t room[9];

    (void)state;
    assert_int_equal(store_object(store, "x", &object, &(struct err){0}), 0);
    store_range_init(&range, "x", object, 77, sizeof room, room);
    assert_false(store_get_now(store, &range));
    store_get(store, &range);
    assert_true(range.waited);
    memset(room, 0, sizeof room);
    assert_true(store_get_now(store, &range));
    assert_int_equal(range.state, RANGE_THERE);
    assert_memory_equal(room, text + 77, sizeof room);
    store_trim(store);
    assert_false(store_get_now(store, &range));
    object_close(object);
    store_free(store);
    free(text);
}

static void test_root(void **state)
{
    static const struct entry stores[][4] = {
        {{.name = "s.vcz/", .data = "", .n = 0}},
        /* As macOS and Windows pack a folder. */
        {{.name = "s.vcz/", .data = "", .n = 0}, {.name = "__MACOSX/._s.vcz", .data = "x", .n = 1}},
        {{.name = "__MACOSX/s.vcz/.zgroup", .data = "x", .n = 1},
         {.name = ".DS_Store", .data = "x", .n = 1},
         {.name = "._s.vcz", .data = "x", .n = 1},
         {.name = "desktop.ini", .data = "x", .n = 1}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        struct entry entries[6] = {{.name = "s.vcz/.zgroup", .data = "{}", .n = 2},
                                   {.name = "s.vcz/a/0", .data = "x", .n = 1}};
        char names[64] = "";
        struct err err = {0};
        struct store *store;
        size_t n = 0;

        while (n < 4 && stores[i][n].name != NULL) {
            entries[2 + n] = stores[i][n];
            n++;
        }
        store = open_entries(entries, 2 + n);
        expect_object(store, ".zgroup", "{}", 2);
        expect_object(store, "a/0", "x", 1);
        assert_int_equal(store_children(store, "", append_name, names, &err), 0);
        assert_string_equal(names, "a,");
        store_free(store);
    }
}

static void test_things_beside(void **state)
{
    struct buf bytes = {0};

    (void)state;
    make_zip(&bytes,
             (const struct entry[]){{.name = "s.vcz/.zgroup", .data = "{}", .n = 2},
                                    {.name = "t.vcz/a/0", .data = "x", .n = 1}},
             2, false, "");
    expect_no_store(bytes.data, bytes.len, ERR_CORRUPT, "beside it");
    buf_free(&bytes);
}

/* zarr's ZipStore writes a member again where a file would be overwritten: Python reads the last
 * one. */
static void test_written_twice(void **state)
{
    static const struct entry entries[] = {
        {.name = ".zgroup", .data = "{}", .n = 2}, {.name = "a/1", .data = "older", .n = 5},
        {.name = "a/0", .data = "x", .n = 1},      {.name = "a/1", .data = "old", .n = 3},
        {.name = "a/10", .data = "y", .n = 1},     {.name = "a/1", .data = "new!", .n = 4},
    };
    struct store *store = open_entries(entries, sizeof entries / sizeof entries[0]);
    uint64_t nobjects, nbytes;
    char names[64] = "";
    struct err err = {0};

    (void)state;
    expect_object(store, "a/0", "x", 1);
    expect_object(store, "a/1", "new!", 4);
    expect_object(store, "a/10", "y", 1);
    assert_int_equal(store_usage(store, "a", &nobjects, &nbytes, &err), 0);
    assert_int_equal(nobjects, 3);
    assert_int_equal(nbytes, 6);
    assert_int_equal(store_names(store, "a", append_name, names, &err), 0);
    assert_string_equal(names, "0,1,10,");
    names[0] = '\0';
    assert_int_equal(store_names(store, "", append_name, names, &err), 0);
    assert_string_equal(names, ".zgroup,a,");
    names[0] = '\0';
    assert_int_equal(store_names(store, "none", append_name, names, &err), 0);
    assert_string_equal(names, "");
    store_free(store);
}

static void test_lies(void **state)
{
    static const struct {
        struct entry entry;
        enum err_code code;
        const char *word;
    } cases[] = {
        {{.name = "../up", .data = "x", .n = 1}, ERR_CORRUPT, "../up"},
        {{.name = "a/../up", .data = "x", .n = 1}, ERR_CORRUPT, "no name"},
        {{.name = "a/..", .data = "x", .n = 1}, ERR_CORRUPT, "no name"},
        {{.name = "./a", .data = "x", .n = 1}, ERR_CORRUPT, "no name"},
        {{.name = "a//b", .data = "x", .n = 1}, ERR_CORRUPT, "no name"},
        {{.name = "/etc/passwd", .data = "x", .n = 1}, ERR_CORRUPT, "no name"},
        {{.name = "", .data = "x", .n = 1}, ERR_CORRUPT, "no name"},
        {{.name = "a/", .data = "x", .n = 1}, ERR_CORRUPT, "directory with contents"},
        {{.name = "a", .data = "x", .n = 1, .flags = 1}, ERR_UNSUPPORTED, "encrypted"},
        {{.name = "a", .data = "x", .n = 1, .method = 93}, ERR_UNSUPPORTED, "another method"},
        {{.name = "a", .data = "x", .n = 1, .claim_nbytes = 2}, ERR_CORRUPT, "two sizes"},
        {{.name = "a", .data = "x", .n = 1, .deflated = true, .claim_nbytes = 1 << 30},
         ERR_CORRUPT,
         "deflate can have made"},
        {{.name = "a", .data = "x", .n = 1, .claim_nbytes = 200, .claim_stored = 200},
         ERR_CORRUPT,
         "runs into another"},
        {{.name = "a", .data = "x", .n = 1, .claim_header = 1}, ERR_CORRUPT, "runs into another"},
        {{.name = "a", .data = "x", .n = 1, .claim_header = 1 << 30},
         ERR_CORRUPT,
         "runs into another"},
        {{.name = "a", .data = "/x", .n = 2, .attributes = 0120777u << 16}, ERR_CORRUPT, "link"},
        {{.name = "a", .data = "", .n = 0, .attributes = 0010777u << 16}, ERR_CORRUPT, "link"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf bytes = {0};

        make_zip(&bytes, (const struct entry[]){ZGROUP, cases[i].entry}, 2, false, "");
        expect_no_store(bytes.data, bytes.len, cases[i].code, cases[i].word);
        buf_free(&bytes);
    }
}

/* What only shows when a member is opened or read. */
static void test_bad_members(void **state)
{
    size_t n = 100000;
    char *text = long_text(n);
    const struct {
        struct entry entry;
        const char *word;
    } cases[] = {
        {{.name = "a", .data = text, .n = n, .local_name = "b"}, "another there"},
        {{.name = "a", .data = text, .n = n, .deflated = true, .crc_error = 1}, "CRC-32"},
        {{.name = "a", .data = text, .n = 50, .deflated = true, .crc_error = 1}, "CRC-32"},
        {{.name = "a",
          .data = text,
          .n = n,
          .deflated = true,
          .descriptor = true,
          .claim_nbytes = 100001},
         "too short"},
        {{.name = "a",
          .data = text,
          .n = n,
          .deflated = true,
          .descriptor = true,
          .claim_nbytes = 99999},
         "longer"},
        {{.name = "a", .data = text, .n = n, .deflated = true, .claim_nbytes = 99999},
         "another there"},
        {{.name = "a",
          .data = text,
          .n = n,
          .deflated = true,
          .descriptor = true,
          .claim_stored = 1000},
         "ends too early"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (unsigned budget = 0; budget < 2; budget++) {
            struct store *store = open_entries((const struct entry[]){ZGROUP, cases[i].entry}, 2);
            struct buf got = {0};
            struct err err = {0};
            bool found;

            if (budget == 1)
                assert_int_equal(store_set_budget(store, 1000, &err), 0);
            assert_int_equal(store_read_all(store, "a", n * 2, &got, &found, &err), -1);
            if (err.code != ERR_CORRUPT || strstr(err.msg, cases[i].word) == NULL ||
                strstr(err.msg, archive) == NULL)
                fail_msg("%s: %s, not %s", err_code_name(err.code), err.msg, cases[i].word);
            buf_free(&got);
            store_free(store);
        }
    free(text);
}

/* A member that is long because it is all zeros is no bomb: but no more of it is held than the
 * budget. */
static void test_long_member(void **state)
{
    size_t n = (size_t)100 << 20;
    char *zeros = calloc(1, n), *part = malloc(1 << 20);
    struct store *store = open_entries(
        (const struct entry[]){ZGROUP, {.name = "a", .data = zeros, .n = n, .deflated = true}}, 2);
    struct object *object;
    struct err err = {0};

    (void)state;
    assert_int_equal(store_object(store, "a", &object, &err), 0);
    for (size_t at = 0; at < n; at += (size_t)10 << 20)
        assert_int_equal(object_read(object, at, part, 1 << 20, &err), 0);
    assert_int_equal(object_read(object, 5, part, 10, &err), 0);
    object_close(object);
    store_free(store);
    free(zeros);
    free(part);
}

/* Every truncation is refused, and every changed byte is either refused or harmless. */
static void test_damage(void **state)
{
    const struct entry entries[] = {
        ZGROUP,
        {.name = "a/0", .data = "some text, some text", .n = 20, .deflated = true},
        {.name = "a/1", .data = "other", .n = 5, .zip64 = true},
    };
    struct buf bytes = {0};
    struct store *store;

    (void)state;
    for (unsigned zip64 = 0; zip64 < 2; zip64++) {
        make_zip(&bytes, entries, 3, zip64, "");
        for (size_t cut = 0; cut < bytes.len; cut++) {
            struct err err = {0};

            assert_int_equal(open_bytes(bytes.data, cut, &store, &err), -1);
        }
        for (size_t at = 0; at < bytes.len; at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                struct buf got = {0};
                struct err err = {0};
                bool found;

                bytes.data[at] ^= (uint8_t)(1u << bit);
                if (open_bytes(bytes.data, bytes.len, &store, &err) == 0) {
                    if (store_read_all(store, "a/0", 1000, &got, &found, &err) == 0 && found) {
                        assert_int_equal(got.len, 20);
                        assert_memory_equal(got.data, "some text, some text", 20);
                    }
                    store_free(store);
                }
                buf_free(&got);
                bytes.data[at] ^= (uint8_t)(1u << bit);
            }
    }
    buf_free(&bytes);
}

static int read_memory(void *arg, uint64_t offset, void *to, size_t n, struct err *err)
{
    const struct buf *bytes = arg;

    (void)err;
    memcpy(to, bytes->data + offset, n);
    return 0;
}

/* A directory of many members costs what it says. */
static void test_many(void **state)
{
    enum { N = 200000 };
    struct entry *entries = calloc(N, sizeof *entries);
    char(*names)[24] = calloc(N, sizeof *names);
    struct buf bytes = {0};
    struct zip_dir dir;
    struct err err = {0};
    uint64_t at;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "a/c/%zu/%zu", i * 7919 % N, i % 3);
        entries[i] = (struct entry){.name = names[i], .data = &names[i], .n = 4};
    }
    make_zip(&bytes, entries, N, true, "");
    struct zip_source source = {read_memory, &bytes, bytes.len};
    if (zip_dir_read(&source, &dir, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(dir.n, N);
    for (size_t i = 0; i < N; i += 997) {
        const struct zip_member *member = zip_find(&dir, names[i], strlen(names[i]));

        assert_non_null(member);
        assert_int_equal(zip_member_data(&source, &dir, member, &at, &err), 0);
        assert_memory_equal(bytes.data + at, names[i], 4);
    }
    assert_null(zip_find(&dir, "a/c/1", 5));
    zip_dir_clear(&dir);
    buf_free(&bytes);
    free(entries);
    free(names);
}

/* Offsets of the three numbers from the archive's end. */
enum { END_COUNT = 22 - 10, END_NBYTES = 22 - 12, END_BEGIN = 22 - 16 };

/* Python writes zip64's records from 2 GiB on, and leaves in the old one the numbers that fit
 * there. */
static void test_zip64_not_needed(void **state)
{
    static const struct entry entries[] = {ZGROUP, {.name = "a/1", .data = "other", .n = 5}};
    static const struct {
        size_t at;
        uint8_t value;
    } lies[] = {{END_COUNT, 3}, {END_NBYTES, 1}, {END_BEGIN, 1}};
    struct buf bytes = {0};
    struct store *store;
    struct err err = {0};
    uint8_t record[12], *end;

    (void)state;
    make_zip(&bytes, entries, 2, false, "");
    memcpy(record, bytes.data + bytes.len - 14, sizeof record);
    make_zip(&bytes, entries, 2, true, "");
    end = bytes.data + bytes.len;
    memcpy(end - 14, record, sizeof record);
    if (open_bytes(bytes.data, bytes.len, &store, &err) != 0)
        fail_msg("%s", err.msg);
    expect_object(store, "a/1", "other", 5);
    store_free(store);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        uint8_t *at = end - lies[i].at, right = *at;

        *at = lies[i].value;
        expect_no_store(bytes.data, bytes.len, ERR_CORRUPT, "contradicts itself");
        *at = right;
    }
    buf_free(&bytes);
}

/* The largest number that the old end record can say, which is also how it points to zip64's. */
static void test_65535_members(void **state)
{
    enum { N = 65535 };
    struct entry *entries = calloc(N, sizeof *entries);
    char(*names)[24] = calloc(N, sizeof *names);
    struct buf bytes = {0};
    struct zip_dir dir;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "a/%zu", i);
        entries[i] = (struct entry){.name = names[i], .data = "", .n = 0};
    }
    make_zip(&bytes, entries, N, false, "");
    struct zip_source source = {read_memory, &bytes, bytes.len};
    if (zip_dir_read(&source, &dir, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(dir.n, N);
    zip_dir_clear(&dir);
    buf_free(&bytes);
    free(entries);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_inflated_at_once),
        cmocka_unit_test(test_root),
        cmocka_unit_test(test_things_beside),
        cmocka_unit_test(test_written_twice),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_bad_members),
        cmocka_unit_test(test_long_member),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_zip64_not_needed),
        cmocka_unit_test(test_65535_members),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
