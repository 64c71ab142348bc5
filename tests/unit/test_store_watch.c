/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store that changes under a view: whichever way, what is read is what was there, or ERR_CHANGED.
 */
#include "zarr_fixture.h"

#include "encoderd/zarr/meta/array_identity.h"
#include "encoderd/zarr/store/file.h"
#include "encoderd/zarr/store/watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static struct fixture fix;

static void path_of(const char *key, char path[512])
{
    snprintf(path, 512, "%s/%s", fix.dir, key);
}

/* A store that has been there for a moment, opened and watched; a/0 is open. */
static struct object *begin(void)
{
    struct object *object;
    struct err err = {0};
    int64_t ahead;

    make_dir(&fix);
    put_text(&fix, "a/0", "hello");
    put_text(&fix, "a/1", "other");
    put_text(&fix, "a/deep/0", "below");
    put_text(&fix, "b/0", "older");
    assert_int_equal(store_open(fix.dir, &fix.store, &err), 0);
    assert_int_equal(store_object(fix.store, "a/0", &object, &err), 0);
    store_watch_from(fix.store, store_opened(fix.store, &ahead));
    assert_int_equal(ahead, 0);
    store_settle(fix.store);
    return object;
}

static void end(struct object *object)
{
    object_close(object);
    close_fixture(&fix);
}

/* Reads an object through a fresh descriptor. */
static void expect(const char *key, const char *text)
{
    struct object *object;
    char got[8] = "";
    struct err err = {0};

    if (store_object(fix.store, key, &object, &err) != 0)
        fail_msg("%s", err.msg);
    assert_non_null(object);
    if (object_read(object, 0, got, 5, &err) != 0)
        fail_msg("%s", err.msg);
    assert_string_equal(got, text);
    object_close(object);
}

static void expect_changed(const char *key)
{
    struct object *object = NULL;
    struct err err = {0};

    if (store_object(fix.store, key, &object, &err) == 0)
        fail_msg("%s is %s", key, object == NULL ? "absent" : "there as if nothing had happened");
    assert_int_equal(err.code, ERR_CHANGED);
    assert_non_null(strstr(err.msg, fix.dir));
}

static void expect_absent(const char *key)
{
    struct object *object = NULL;
    struct err err = {0};

    if (store_object(fix.store, key, &object, &err) != 0)
        fail_msg("%s", err.msg);
    assert_null(object);
}

/* With the time of modification that it had, as rsync --inplace --times would. */
static void rewrite_in_place(const char *key, const char *text)
{
    char path[512];
    struct stat st;
    int fd;

    path_of(key, path);
    assert_int_equal(stat(path, &st), 0);
    fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
    assert_int_equal(futimens(fd, (struct timespec[2]){st.st_atim, st.st_mtim}), 0);
    close(fd);
}

static void test_nothing_changed(void **state)
{
    struct object *object = begin();

    (void)state;
    expect("a/0", "hello");
    expect("a/deep/0", "below");
    expect_absent("a/7");
    expect_absent("a/nowhere/0");
    expect_absent("nowhere/0");
    end(object);
}

static void test_rewritten_in_place(void **state)
{
    struct object *object = begin();
    char got[8] = "";
    struct err err = {0};

    (void)state;
    assert_int_equal(object_read(object, 0, got, 5, &err), 0);
    rewrite_in_place("a/0", "HELLO");
    assert_int_equal(object_read(object, 0, got, 5, &err), -1);
    assert_int_equal(err.code, ERR_CHANGED);
    expect_changed("a/0");
    expect("a/1", "other");
    end(object);
}

/* By a file that is older than the view. What was open is still what it was, but nobody can
 * tell. */
static void test_replaced(void **state)
{
    struct object *object = begin();
    char from[512], to[512], got[8] = "";
    struct err err = {0};

    (void)state;
    path_of("b/0", from);
    path_of("a/0", to);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(object_read(object, 0, got, 5, &err), -1);
    assert_int_equal(err.code, ERR_CHANGED);
    expect_changed("a/0");
    expect_changed("b/0");
    end(object);
}

static void test_link_put_over(void **state)
{
    struct object *object = begin();
    char from[512], to[512];

    (void)state;
    path_of("b/0", from);
    path_of("a/1", to);
    assert_int_equal(unlink(to), 0);
    assert_int_equal(link(from, to), 0);
    expect_changed("a/1");
    expect("a/0", "hello");
    end(object);
}

/* An absent chunk is the fill value: one that was removed must not be. */
static void test_removed(void **state)
{
    struct object *object = begin();
    char path[512];

    (void)state;
    path_of("a/1", path);
    assert_int_equal(unlink(path), 0);
    expect_changed("a/1");
    expect("a/0", "hello");
    path_of("a/deep/0", path);
    assert_int_equal(unlink(path), 0);
    path_of("a/deep", path);
    assert_int_equal(rmdir(path), 0);
    expect_changed("a/deep/0");
    end(object);
}

/* Files that are older than the view, in a directory that was another one. */
static void test_directory_exchanged(void **state)
{
    struct object *object = begin();
    char a[512], b[512], c[512];

    (void)state;
    expect("b/0", "older");
    path_of("a", a);
    path_of("b", b);
    path_of("c", c);
    assert_int_equal(rename(a, c), 0);
    assert_int_equal(rename(b, a), 0);
    expect_changed("a/0");
    expect_changed("b/0");
    end(object);
}

/* However many directories were used before it; where numbers of inodes are made up, as many as can
 * be held. */
static void test_one_of_many_exchanged(void **state)
{
    char from[512], to[512], key[16];
    int64_t ahead;
    int many, fd;

    (void)state;
    make_dir(&fix);
    fd = open(fix.dir, O_RDONLY | O_DIRECTORY);
    many = file_at_once(fd) != AT_ONCE_NOTHING ? 200 : 50;
    close(fd);
    for (int i = 0; i < many; i++) {
        snprintf(key, sizeof key, "m%d/0", i);
        put_text(&fix, key, "hello");
    }
    put_text(&fix, "other/0", "other");
    assert_int_equal(store_open(fix.dir, &fix.store, &(struct err){0}), 0);
    store_watch_from(fix.store, store_opened(fix.store, &ahead));
    store_settle(fix.store);
    for (int i = 0; i < many; i++) {
        snprintf(key, sizeof key, "m%d/0", (i * 7) % many);
        expect(key, "hello");
    }
    snprintf(key, sizeof key, "m%d", many - 7);
    path_of(key, to);
    path_of("gone", from);
    assert_int_equal(rename(to, from), 0);
    path_of("other", from);
    assert_int_equal(rename(from, to), 0);
    snprintf(key, sizeof key, "m%d/0", many - 7);
    expect_changed(key);
    expect("m42/0", "hello");
    close_fixture(&fix);
}

/* As git-annex switches between versions: the link is new, what it leads to is not. */
static void test_link_that_leads_elsewhere(void **state)
{
    struct store *store;
    struct object *object;
    struct err err = {0};
    int64_t ahead;
    char path[512];

    (void)state;
    make_dir(&fix);
    put_text(&fix, "x", "hello");
    put_text(&fix, "y", "other");
    path_of("chunk", path);
    assert_int_equal(symlink("x", path), 0);
    assert_int_equal(store_open_with(fix.dir, STORE_FOLLOW_LINKS, &store, &err), 0);
    store_watch_from(store, store_opened(store, &ahead));
    store_settle(store);
    assert_int_equal(store_object(store, "chunk", &object, &err), 0);
    object_close(object);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("y", path), 0);
    assert_int_equal(store_object(store, "chunk", &object, &err), -1);
    assert_int_equal(err.code, ERR_CHANGED);
    store_free(store);
    close_fixture(&fix);
}

/* A clock that is ahead: what was seen of it at the opening is allowed for, and said. */
static void test_clock_ahead(void **state)
{
    struct object *object;
    struct err err = {0};
    int64_t since, ahead;

    (void)state;
    make_dir(&fix);
    put_text(&fix, "a/0", "hello");
    assert_int_equal(store_open(fix.dir, &fix.store, &err), 0);
    fix.store->watch.opened -= INT64_C(5000000000);
    assert_int_equal(store_object(fix.store, "a/0", &object, &err), 0);
    object_close(object);
    since = store_opened(fix.store, &ahead);
    assert_true(ahead > INT64_C(4000000000) && ahead < INT64_C(6000000000));
    store_watch_from(fix.store, since);
    expect("a/0", "hello");
    store_watch_from(fix.store, since - 1);
    expect_changed("a/0");
    close_fixture(&fix);
}

/* Where only whole seconds are kept, a view is not ready before the next one begins. */
static void test_whole_seconds(void **state)
{
    struct object *object = begin();
    struct timespec now;

    (void)state;
    clock_gettime(CLOCK_REALTIME, &now);
    fix.store->watch.opened = now.tv_sec * INT64_C(1000000000);
    atomic_store(&fix.store->watch.fractions, false);
    store_settle(fix.store);
    clock_gettime(CLOCK_REALTIME, &now);
    assert_true(now.tv_sec * INT64_C(1000000000) > fix.store->watch.opened);
    end(object);
}

static void append(const void *data, size_t n, void *arg)
{
    buf_append(arg, data, n);
}

static void identity_of(const struct zarr_array *array, struct buf *out)
{
    char key[ZARR_KEY_MAX];
    struct err err = {0};

    buf_reset(out);
    assert_int_equal(store_identity(array->store, array->name, append, out, &err), 0);
    for (uint64_t i = 0; i < zarr_identity_nchunks(array); i++) {
        uint64_t index[ZARR_DIMS_MAX] = {0};

        zarr_identity_chunk(array, i, index);
        zarr_chunk_key(array, index, key);
        buf_append(out, key, strlen(key) + 1);
        if (store_identity(array->store, key, append, out, &err) != 0)
            fail_msg("%s", err.msg);
    }
}

/* As many keys as are looked at, and no more, in an array of 10^18 chunks. */
static void test_identity_is_bounded(void **state)
{
    static char name[] = "array";
    struct zarr_array array = {.store = NULL,
                               .name = name,
                               .meta = {.format = 2,
                                        .ndim = 2,
                                        .separator = '.',
                                        .nchunks = {UINT64_C(1) << 30, UINT64_C(1) << 30},
                                        .chunk = {1, 1},
                                        .sharding.chunks = {1, 1}}};
    struct buf before = {0}, after = {0};
    size_t nkeys = 0;

    (void)state;
    make_dir(&fix);
    put_text(&fix, "array/0.0", "first");
    put_text(&fix, "array/1073741823.1073741823", "last!");
    assert_int_equal(store_open(fix.dir, &fix.store, &(struct err){0}), 0);
    array.store = fix.store;
    identity_of(&array, &before);
    for (size_t at = 0; at + 5 < before.len; at++)
        nkeys += memcmp(before.data + at, "array/", 6) == 0;
    assert_int_equal(nkeys, ZARR_IDENTITY_MOST);
    identity_of(&array, &after);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    put_text(&fix, "array/1073741823.1073741823", "changed");
    identity_of(&array, &after);
    assert_true(before.len != after.len || memcmp(before.data, after.data, before.len) != 0);

    array.meta.nchunks[0] = array.meta.nchunks[1] = UINT64_MAX; /* their product does not fit */
    identity_of(&array, &before);
    buf_free(&before);
    buf_free(&after);
    close_fixture(&fix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_changed),
        cmocka_unit_test(test_rewritten_in_place),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_link_put_over),
        cmocka_unit_test(test_removed),
        cmocka_unit_test(test_directory_exchanged),
        cmocka_unit_test(test_one_of_many_exchanged),
        cmocka_unit_test(test_link_that_leads_elsewhere),
        cmocka_unit_test(test_clock_ahead),
        cmocka_unit_test(test_whole_seconds),
        cmocka_unit_test(test_identity_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
