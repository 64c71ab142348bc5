/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts: what is unmounted is a mount of vczfs, or nothing is.
 */
#include "fused/mounts/mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static char dir[] = "/tmp/vczfs-mounts-XXXXXX";

/* In a mount namespace of its own, where there is leave to have one. */
static int begin(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL;
}

static int end(void **state)
{
    (void)state;
    umount2(dir, MNT_DETACH);
    return rmdir(dir);
}

static void mount_another(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", dir, "tmpfs", 0, NULL) != 0) {
        print_message("mounting is not possible here: %s\n", strerror(errno));
        skip();
    }
}

/* As if it had been exchanged since somebody looked. */
static void test_another_mount_stays(void **state)
{
    struct mount_entry entry;
    struct err err = {0};

    (void)state;
    mount_another();
    for (int lazy = 0; lazy < 2; lazy++) {
        assert_int_equal(mounts_unmount(dir, lazy != 0, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.msg, dir));
    }
    assert_true(mounts_find(dir, &entry));
    assert_string_equal(entry.type, "tmpfs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_mount_stays),
    };

    return cmocka_run_group_tests_name("front_mounts", tests, begin, end);
}
