/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory store, and what must not be opened in it.
 */
#include "zarr_fixture.h"

#include "encoderd/zarr/store/dir_impl.h"

#include <fcntl.h>

static struct fixture fix;

static void put_link(const char *target, const char *key)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", fix.dir, key);
    assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state)
{
    char path[512];

    (void)state;
    make_dir(&fix);
    put_text(&fix, "a/0", "hello");
    put_text(&fix, "a/sub/1", "deeper");
    put_text(&fix, "b/0", "");
    put_text(&fix, "top", "x");
    put_link("a/0", "inside");
    put_link("/etc/passwd", "outside");
    put_link("../../../../etc/passwd", "upwards");
    put_link("gone", "dangling");
    put_link("gone", "dangling_dir");
    put_link("loop", "loop");
    put_link("a", "c");
    snprintf(path, sizeof path, "%s/fifo", fix.dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(store_open(fix.dir, &fix.store, &(struct err){0}), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_fixture(&fix);
    return 0;
}

static void test_read(void **state)
{
    struct object *object;
    struct err err = {0};
    char text[8] = "";

    (void)state;
    assert_string_equal(store_path(fix.store), fix.dir);
    assert_int_equal(store_object(fix.store, "a/0", &object, &err), 0);
    assert_int_equal(object_size(object), 5);
    assert_int_equal(object_read(object, 1, text, 4, &err), 0);
    assert_string_equal(text, "ello");
    assert_int_equal(object_read(object, 1, text, 5, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.msg, "a/0"));
    assert_int_equal(object_read(object, UINT64_MAX, text, 1, &err), -1);
    object_close(object);
    assert_int_equal(store_object(fix.store, "inside", &object, &err), 0);
    assert_int_equal(object_size(object), 5);
    object_close(object);
}

static void test_refused(void **state)
{
    static const char *const keys[] = {
        "outside", "upwards", "dangling", "dangling_dir/0", "loop",  "fifo", "a",  "a/0/x",
        "",        "/top",    "a/",       "a//0",           "./top", "a/.",  "..", "a/../top",
    };

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct object *object = NULL;
        struct err err = {0};

        if (store_object(fix.store, keys[i], &object, &err) == 0)
            fail_msg("\"%s\" was opened or taken for absent", keys[i]);
        if (err.code != ERR_CORRUPT)
            fail_msg("\"%s\": %s", keys[i], err.msg);
        assert_null(object);
    }
}

static void test_absent(void **state)
{
    static const char *const keys[] = {"nope", "a/7", "nope/0/0", "c/9"};

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct object *object = (void *)&fix;
        struct err err = {0};

        if (store_object(fix.store, keys[i], &object, &err) != 0)
            fail_msg("%s", err.msg);
        assert_null(object);
    }
}

/* Kernels without openat2 get a walk that refuses every link. */
static void test_walk(void **state)
{
    int root = open(fix.dir, O_RDONLY | O_DIRECTORY), fd;

    (void)state;
    fd = dir_open_walk(root, "a/sub/1", O_RDONLY);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(dir_open_walk(root, "inside", O_RDONLY), -1);
    assert_int_equal(dir_open_walk(root, "c/0", O_RDONLY), -1);
    assert_int_equal(dir_open_walk(root, "outside", O_RDONLY), -1);
    assert_int_equal(dir_open_walk(root, "nope/0", O_RDONLY), -1);
    close(root);
}

static void test_read_all(void **state)
{
    struct buf text = {0};
    struct err err = {0};
    bool found;

    (void)state;
    assert_int_equal(store_read_all(fix.store, "a/0", 5, &text, &found, &err), 0);
    assert_true(found);
    assert_int_equal(store_read_all(fix.store, "b/0", 5, &text, &found, &err), 0);
    assert_true(found);
    assert_int_equal(text.len, 5);
    assert_memory_equal(text.data, "hello", 5);
    assert_int_equal(store_read_all(fix.store, "a/0", 4, &text, &found, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(store_read_all(fix.store, "nope", 4, &text, &found, &err), 0);
    assert_false(found);
    buf_free(&text);
}

static int collect(const char *name, void *arg)
{
    strcat(arg, name);
    strcat(arg, " ");
    return strcmp(name, "b") == 0 ? 7 : 0;
}

static void test_children(void **state)
{
    char names[64] = "";
    struct err err = {0};

    (void)state;
    assert_int_equal(store_children(fix.store, "", collect, names, &err), 7);
    assert_string_equal(names, "a b ");
    names[0] = '\0';
    assert_int_equal(store_children(fix.store, "a", collect, names, &err), 0);
    assert_string_equal(names, "sub ");
    assert_int_equal(store_children(fix.store, "nope", collect, names, &err), 0);
}

static void test_usage(void **state)
{
    uint64_t nobjects, nbytes;
    struct err err = {0};

    (void)state;
    assert_int_equal(store_usage(fix.store, "a", &nobjects, &nbytes, &err), 0);
    assert_int_equal(nobjects, 2);
    assert_int_equal(nbytes, 11);
    assert_int_equal(store_usage(fix.store, "", &nobjects, &nbytes, &err), 0);
    assert_int_equal(nobjects, 4);
    assert_int_equal(store_usage(fix.store, "nope", &nobjects, &nbytes, &err), 0);
    assert_int_equal(nobjects, 0);
}

static void append(const void *data, size_t n, void *arg)
{
    buf_append(arg, data, n);
}

/* Of an object, its size, its time and which file it is; of a directory, what is added and
 * removed. */
static void test_identity(void **state)
{
    static const char *const keys[] = {"a/sub/1", "a/sub"};
    struct buf before = {0}, after = {0}, none = {0};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char path[512];

        /* Else a change within one tick of the clock could not be told. */
        snprintf(path, sizeof path, "%s/%s", fix.dir, keys[i]);
        assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[2]){{1, 0}, {1, 0}}, 0), 0);
        buf_reset(&before);
        assert_int_equal(store_identity(fix.store, keys[i], append, &before, &err), 0);
        buf_reset(&after);
        assert_int_equal(store_identity(fix.store, keys[i], append, &after, &err), 0);
        assert_int_equal(before.len, after.len);
        assert_memory_equal(before.data, after.data, before.len);
        put_text(&fix, i == 0 ? keys[i] : "a/sub/2", "changed!");
        buf_reset(&after);
        assert_int_equal(store_identity(fix.store, keys[i], append, &after, &err), 0);
        assert_true(before.len != after.len || memcmp(before.data, after.data, before.len) != 0);
    }
    assert_int_equal(store_identity(fix.store, "nope", append, &none, &err), 0);
    assert_int_equal(none.len, 0);
    buf_free(&before);
    buf_free(&after);
}

static void refuse_store(const char *path, enum err_code code)
{
    struct store *store = NULL;
    struct err err = {0};

    assert_int_equal(store_open(path, &store, &err), -1);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.msg, path));
    assert_null(store);
}

static void test_open(void **state)
{
    struct zarr_group *group;
    struct err err = {0};
    char path[512];

    (void)state;
    refuse_store("/nonexistent/x.vcz", ERR_NOT_FOUND);
    refuse_store("/dev/null", ERR_UNSUPPORTED);
    snprintf(path, sizeof path, "%s/fifo", fix.dir);
    refuse_store(path, ERR_UNSUPPORTED);
    snprintf(path, sizeof path, "%s/top", fix.dir);
    refuse_store(path, ERR_UNSUPPORTED);
    assert_int_equal(zarr_group_open(fix.store, &group, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* A tree of links, as git-annex and workflow managers make them: only when asked for, and never to
 * anything but files. */
static void test_follow_links(void **state)
{
    struct store *follow = NULL;
    struct object *object;
    struct fixture other;
    uint64_t nobjects, nbytes;
    struct err err = {0};
    char target[512];

    (void)state;
    make_dir(&other);
    put_text(&other, "far/0", "distant");
    snprintf(target, sizeof target, "%s/far", other.dir);
    put_link(target, "linked");
    put_link("/dev/zero", "device");
    snprintf(target, sizeof target, "%s/fifo", fix.dir);
    put_link(target, "to_fifo");
    assert_int_equal(store_object(fix.store, "linked/0", &object, &err), -1);
    assert_non_null(strstr(err.msg, "--follow-links"));
    assert_int_equal(store_open_with(fix.dir, STORE_FOLLOW_LINKS, &follow, &err), 0);
    assert_int_equal(store_object(follow, "linked/0", &object, &err), 0);
    assert_int_equal(object_size(object), 7);
    object_close(object);
    assert_int_equal(store_object(follow, "device", &object, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(store_object(follow, "to_fifo", &object, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(store_object(follow, "dangling", &object, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(store_object(follow, "loop", &object, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(store_object(follow, "nope", &object, &err), 0);
    assert_null(object);
    assert_int_equal(store_usage(follow, "linked", &nobjects, &nbytes, &err), 0);
    assert_int_equal(nobjects, 1);
    assert_int_equal(nbytes, 7);
    assert_int_equal(store_usage(follow, "", &nobjects, &nbytes, &err), 0);
    assert_true(nobjects >= 6);
    store_free(follow);
    close_fixture(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_absent),   cmocka_unit_test(test_walk),
        cmocka_unit_test(test_read_all), cmocka_unit_test(test_children),
        cmocka_unit_test(test_usage),    cmocka_unit_test(test_identity),
        cmocka_unit_test(test_open),     cmocka_unit_test(test_follow_links),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
