/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolved: a path without links is opened, whatever it leads to; one that has become a link, or
 * lies below one, is not.
 */
#include "common/resolved.h"

#include "common/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[PATH_MAX]; /* the working directory: DIR/file, and LINK to DIR */

static int make_top(void **state)
{
    char made[] = "/tmp/vczfs-resolved-XXXXXX";

    (void)state;
    if (mkdtemp(made) == NULL || chdir(made) != 0 || getcwd(top, sizeof top) == NULL ||
        mkdir("dir", 0700) != 0 || symlink("dir", "link") != 0 || symlink("file", "dir/inner") != 0)
        return -1;
    return close(open("dir/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static int remove_top(void **state)
{
    (void)state;
    unlink("dir/inner");
    unlink("dir/file");
    unlink("link");
    rmdir("dir");
    return chdir("/") != 0 || rmdir(top);
}

/* 0, or why not. */
static int outcome(const char *below, ino_t *inode)
{
    char path[PATH_MAX + 64];
    AUTO_CLOSE int fd = -1;
    struct stat st;

    snprintf(path, sizeof path, "%s%s", top, below);
    fd = resolved_open(path);
    if (fd < 0)
        return errno;
    assert_int_equal(fstat(fd, &st), 0);
    *inode = st.st_ino;
    return 0;
}

static void test_outcomes(void **state)
{
    static const struct {
        const char *below;
        int why;
    } cases[] = {
        {"", 0},
        {"/", 0},
        {"/dir", 0},
        {"//dir//file", 0},
        {"/link", ELOOP},
        {"/link/", ELOOP},
        {"/link/file", ELOOP},
        {"/dir/inner", ELOOP},
        {"/dir/none", ENOENT},
        {"/dir/file/none", ENOTDIR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ino_t inode = 0;

        print_message("'%s'\n", cases[i].below);
        assert_int_equal(outcome(cases[i].below, &inode), cases[i].why);
    }
}

static void test_it_is_what_is_there(void **state)
{
    struct stat st;
    ino_t inode = 0;

    (void)state;
    assert_int_equal(stat("dir/file", &st), 0);
    assert_int_equal(outcome("/dir/file", &inode), 0);
    assert_int_equal(inode, st.st_ino);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_it_is_what_is_there),
    };

    return cmocka_run_group_tests_name("resolved", tests, make_top, remove_top);
}
