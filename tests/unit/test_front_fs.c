/* SPDX-License-Identifier: Apache-2.0 */
#include "common/memfd.h"
#include "fused/files/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int sidecar(const char *text, int sealed)
{
    struct err err;
    int fd = memfd_open("test", &err);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    if (sealed)
        assert_int_equal(memfd_seal(fd, &err), 0);
    return fd;
}

static int add(struct fs *fs, uint64_t index, const char *name, enum file_kind kind, uint64_t size,
               int fd)
{
    struct msg_file file = {.file = index, .name = name, .kind = kind, .size = size};
    struct err err = {0};
    int rc = fs_add(fs, &file, fd, &err);

    if (rc != 0)
        assert_int_equal(err.code, ERR_PEER);
    if (fd >= 0)
        close(fd);
    return rc;
}

static void files_have_stable_inodes_and_attributes(void **state)
{
    struct fs fs;
    struct stat st;

    (void)state;
    fs_init(&fs);
    assert_int_equal(add(&fs, 0, "a.bed", FILE_STREAM, 1025, -1), 0);
    assert_int_equal(add(&fs, 1, "a.fam", FILE_SIDECAR, 5, sidecar("hello", 1)), 0);
    assert_ptr_equal(fs_by_name(&fs, "a.fam"), fs_by_ino(&fs, 3));
    assert_int_equal(fs_ino(&fs, fs_by_name(&fs, "a.bed")), 2);
    assert_memory_equal(fs_by_ino(&fs, 3)->map, "hello", 5);
    assert_null(fs_by_name(&fs, "a.bim"));
    assert_null(fs_by_ino(&fs, 0));
    assert_null(fs_by_ino(&fs, 1));
    assert_null(fs_by_ino(&fs, 4));
    assert_true(fs_stat(&fs, 2, &st));
    assert_int_equal(st.st_mode, S_IFREG | 0444);
    assert_int_equal(st.st_size, 1025);
    assert_int_equal(st.st_blocks, 3);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(st.st_uid, getuid());
    assert_true(fs_stat(&fs, 1, &st));
    assert_int_equal(st.st_mode, S_IFDIR | 0555);
    assert_int_equal(st.st_nlink, 2);
    assert_false(fs_stat(&fs, 4, &st));
    fs_free(&fs);
}

static void reads_end_at_the_end(void **state)
{
    struct fs_file file = {.size = 100};

    (void)state;
    assert_int_equal(fs_clamp(&file, 0, 10), 10);
    assert_int_equal(fs_clamp(&file, 95, 10), 5);
    assert_int_equal(fs_clamp(&file, 100, 10), 0);
    assert_int_equal(fs_clamp(&file, UINT64_MAX, 10), 0);
}

static void what_cannot_be_a_file_is_refused(void **state)
{
    struct fs fs;
    char name[FS_NAME_MAX + 2];

    (void)state;
    fs_init(&fs);
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(add(&fs, 1, "a", FILE_STREAM, 1, -1), -1);
    assert_int_equal(add(&fs, 0, "", FILE_STREAM, 1, -1), -1);
    assert_int_equal(add(&fs, 0, ".", FILE_STREAM, 1, -1), -1);
    assert_int_equal(add(&fs, 0, "..", FILE_STREAM, 1, -1), -1);
    assert_int_equal(add(&fs, 0, "a/b", FILE_STREAM, 1, -1), -1);
    assert_int_equal(add(&fs, 0, name, FILE_STREAM, 1, -1), -1);
    assert_int_equal(add(&fs, 0, "a", FILE_STREAM, UINT64_MAX, -1), -1);
    assert_int_equal(add(&fs, 0, "a", (enum file_kind)9, 1, -1), -1);
    assert_int_equal(fs.nfiles, 0);
    assert_int_equal(add(&fs, 0, "a", FILE_STREAM, 1, -1), 0);
    assert_int_equal(add(&fs, 1, "a", FILE_STREAM, 1, -1), -1);
    assert_int_equal(fs.nfiles, 1);
    fs_free(&fs);
}

static void sidecars_must_be_sealed_and_whole(void **state)
{
    struct fs fs;

    (void)state;
    fs_init(&fs);
    assert_int_equal(add(&fs, 0, "a", FILE_SIDECAR, 5, sidecar("hello", 0)), -1);
    assert_int_equal(add(&fs, 0, "a", FILE_SIDECAR, 6, sidecar("hello", 1)), -1);
    assert_int_equal(add(&fs, 0, "a", FILE_SIDECAR, 5, dup(STDIN_FILENO)), -1);
    assert_int_equal(add(&fs, 0, "a", FILE_SIDECAR, 0, sidecar("", 1)), 0);
    fs_free(&fs);
}

static int take(struct fs *fs, uint64_t file, uint64_t size, bool sealed, int fd)
{
    const struct msg_sidecar sidecar = {.file = file, .size = size, .sealed = sealed};
    struct err err = {0};
    int rc = fs_take_lazy(fs, &sidecar, fd, &err);

    if (rc != 0)
        assert_int_equal(err.code, ERR_PEER);
    close(fd);
    return rc;
}

static int plain_file(const char *text)
{
    char path[] = "/tmp/vczfs-test-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void lazy_files_come_later_and_once(void **state)
{
    struct fs fs;
    struct stat st;
    char buf[5];
    int pipe_fds[2];

    (void)state;
    fs_init(&fs);
    assert_int_equal(add(&fs, 0, "a", FILE_STREAM, 9, -1), 0);
    assert_int_equal(add(&fs, 1, "b", FILE_LAZY, 0, -1), 0);
    assert_int_equal(add(&fs, 2, "c", FILE_LAZY, 0, -1), 0);
    assert_true(fs.files[0].ready && !fs.files[1].ready);
    assert_int_equal(take(&fs, 0, 5, true, sidecar("hello", 1)), -1);
    assert_int_equal(take(&fs, 3, 5, true, sidecar("hello", 1)), -1);
    assert_int_equal(take(&fs, 1, 5, true, sidecar("hello", 0)), -1);
    assert_int_equal(take(&fs, 1, 6, true, sidecar("hello", 1)), -1);
    assert_int_equal(take(&fs, 1, 5, true, plain_file("hello")), -1);
    assert_int_equal(take(&fs, 1, 6, false, plain_file("hello")), -1);
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(take(&fs, 1, 0, false, pipe_fds[0]), -1);
    close(pipe_fds[1]);
    assert_false(fs.files[1].ready);
    assert_int_equal(take(&fs, 1, 5, true, sidecar("hello", 1)), 0);
    assert_int_equal(take(&fs, 1, 5, true, sidecar("hello", 1)), -1);
    assert_int_equal(take(&fs, 2, 5, false, plain_file("world")), 0);
    assert_true(fs.files[1].ready && fs.files[2].ready);
    assert_true(fs_stat(&fs, 4, &st));
    assert_int_equal(st.st_size, 5);
    assert_memory_equal(fs_bytes(&fs.files[1], 1, 4, buf), "ello", 4);
    assert_memory_equal(fs_bytes(&fs.files[2], 1, 4, buf), "orld", 4);
    /* What was cut short since is an error, not a short read. */
    assert_int_equal(ftruncate(fs.files[2].fd, 3), 0);
    assert_null(fs_bytes(&fs.files[2], 1, 4, buf));
    fs_free(&fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_have_stable_inodes_and_attributes),
        cmocka_unit_test(reads_end_at_the_end),
        cmocka_unit_test(what_cannot_be_a_file_is_refused),
        cmocka_unit_test(sidecars_must_be_sealed_and_whole),
        cmocka_unit_test(lazy_files_come_later_and_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
