/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_fixture: a store, and a process in its sandbox.
 */
#ifndef VCZFS_TESTS_SANDBOX_FIXTURE_H
#define VCZFS_TESTS_SANDBOX_FIXTURE_H

#include "encoderd/sandbox/sandbox_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_IS_OFF 1
#else
#define SANDBOX_IS_OFF 0
#endif

static char store[64];

static int make_store(void **state)
{
    char path[128];
    FILE *file;

    (void)state;
    strcpy(store, "/tmp/vczfs-sandbox-XXXXXX");
    setvbuf(stdout, NULL, _IONBF, 0);
    if (mkdtemp(store) == NULL || chmod(store, 0755) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/chunk", store);
    file = fopen(path, "w");
    return file == NULL || fputs("bytes", file) < 0 || fclose(file) != 0 || chmod(path, 0644) != 0;
}

static int remove_store(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/chunk", store);
    return unlink(path) != 0 || rmdir(store) != 0;
}

/* What happens to the process before it enters, if anything: 0 if that worked. */
static int (*before)(void);

/* What could not be had of the sandbox. */
static struct buf missing;

/* A word of NULL: nothing is missing. */
static bool is_missing(const char *word)
{
    buf_append_char(&missing, '\0');
    return word == NULL ? missing.len == 1 : strstr((const char *)missing.data, word) != NULL;
}

/* Runs `inside` in a process of its own, in the sandbox; it returns NULL or what went wrong. */
static void in_sandbox(const char *(*inside)(void))
{
    const struct sandbox sandbox = {.store = store};
    int status, out[2];
    char text[256] = "";
    pid_t pid;

    if (SANDBOX_IS_OFF)
        skip();
    assert_int_equal(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        struct err err = {0};
        const char *wrong;

        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (before != NULL && before() != 0)
            _exit(4);
        wrong = sandbox_enter(&sandbox, &missing, &err) != 0 ? err.msg : inside();

        if (wrong != NULL && write(out[1], wrong, strlen(wrong)) < 0)
            _exit(3);
        _exit(wrong == NULL ? 0 : 1);
    }
    close(out[1]);
    if (read(out[0], text, sizeof text - 1) < 0)
        text[0] = '\0';
    close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("status %x: %s", (unsigned)status, text);
}

#define IN_SANDBOX(name, inside)                                                                   \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        in_sandbox(inside);                                                                        \
    }

#endif
