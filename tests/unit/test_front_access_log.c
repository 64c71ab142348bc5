/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/files/access_log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static void line_is(const struct access_entry *entry, int64_t t_end, const char *due)
{
    struct buf out = {0};

    access_log_format(&out, entry, t_end);
    buf_append_char(&out, '\0');
    assert_false(out.failed);
    assert_string_equal((const char *)out.data, due);
    buf_free(&out);
}

static void a_read_is_one_line(void **state)
{
    struct access_entry entry = {.kind = "read",
                                 .name = "a.bed",
                                 .handle = 3,
                                 .offset = 4096,
                                 .size = 100,
                                 .t_start = 1700000000000005};

    (void)state;
    line_is(&entry, 1700000001250000,
            "{\"path\":\"/a.bed\",\"fh\":3,\"offset\":4096,\"size\":100,"
            "\"t_start\":1700000000.000005,\"t_end\":1700000001.250000,\"kind\":\"read\"}\n");
}

static void errors_and_the_root(void **state)
{
    struct access_entry entry = {.kind = "opendir", .errnum = 5};

    (void)state;
    line_is(&entry, 1,
            "{\"path\":\"/\",\"fh\":0,\"offset\":0,\"size\":0,"
            "\"t_start\":0.000000,\"t_end\":0.000001,\"kind\":\"opendir\",\"errno\":5}\n");
}

static void names_are_escaped(void **state)
{
    struct access_entry entry = {.kind = "open", .name = "q\"b\\n\n\x01\x7fü"};

    (void)state;
    line_is(&entry, 0,
            "{\"path\":\"/q\\\"b\\\\n\\u000a\\u0001\\u007fü\",\"fh\":0,\"offset\":0,\"size\":0,"
            "\"t_start\":0.000000,\"t_end\":0.000000,\"kind\":\"open\"}\n");
}

static void names_that_are_not_utf8_stay_json(void **state)
{
    struct access_entry entry = {.kind = "open", .name = "a\xff\xc3z\xe2\x82"};

    (void)state;
    line_is(&entry, 0,
            "{\"path\":\"/a\\u00ff\\u00c3z\\u00e2\\u0082\",\"fh\":0,\"offset\":0,\"size\":0,"
            "\"t_start\":0.000000,\"t_end\":0.000000,\"kind\":\"open\"}\n");
}

static void lines_reach_the_file_at_the_end(void **state)
{
    struct access_entry entry = {.kind = "read", .name = "a"};
    struct event_base *base = event_base_new();
    struct access_log *log;
    struct err err;
    char text[4096];
    int fds[2];
    ssize_t n;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    log = access_log_new(base, fds[1], &err);
    assert_non_null(log);
    assert_true(access_log_now(log) > 1600000000000000);
    assert_int_equal(access_log_now(NULL), 0);
    access_log_add(NULL, &entry);
    access_log_add(log, &entry);
    access_log_add(log, &entry);
    access_log_free(log);
    n = read(fds[0], text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(strchr(text, '\n'), "\"kind\":\"read\""));
    assert_int_equal(text[n - 1], '\n');
    close(fds[0]);
    event_base_free(base);
}

/* As a disk is that has room for `room` bytes; the file's text is in text[0 .. n). */
static ssize_t log_two_lines(rlim_t room, char *text, size_t text_size)
{
    struct access_entry entry = {.kind = "read", .name = "a"};
    struct event_base *base = event_base_new();
    char path[] = "/tmp/vczfs-access-log-XXXXXX";
    const int fd = mkostemp(path, O_APPEND);
    struct rlimit before, limit;
    struct access_log *log;
    struct err err;
    ssize_t n;
    int reader;

    assert_true(fd >= 0);
    reader = open(path, O_RDONLY);
    unlink(path);
    log = access_log_new(base, fd, &err);
    assert_non_null(log);
    access_log_add(log, &entry);
    access_log_add(log, &entry);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){room, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    access_log_free(log);
    setrlimit(RLIMIT_FSIZE, &before);
    n = read(reader, text, text_size);
    close(reader);
    event_base_free(base);
    return n;
}

static void a_full_disk_leaves_whole_lines(void **state)
{
    char text[4096];
    const ssize_t all = log_two_lines(RLIM_INFINITY, text, sizeof text), line = all / 2;
    const ssize_t rooms[] = {0, 1, line - 1, line, line + 1, all - 1, all};

    (void)state;
    assert_int_equal(text[line - 1], '\n');
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
        assert_int_equal(log_two_lines((rlim_t)rooms[i], text, sizeof text),
                         rooms[i] / line * line);
    signal(SIGXFSZ, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_is_one_line),
        cmocka_unit_test(errors_and_the_root),
        cmocka_unit_test(names_are_escaped),
        cmocka_unit_test(names_that_are_not_utf8_stay_json),
        cmocka_unit_test(lines_reach_the_file_at_the_end),
        cmocka_unit_test(a_full_disk_leaves_whole_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
