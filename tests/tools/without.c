/* SPDX-License-Identifier: Apache-2.0 */
/*
 * without: runs a program as on a kernel that does not know some system calls.
 *
 *   without openat2,pidfd_open -- PROGRAM [ARGUMENT...]
 *
 * They fail with ENOSYS. A name that this machine has no call for is refused: a test of it would be
 * none.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int forget(scmp_filter_ctx filter, const char *name)
{
    const int call = seccomp_syscall_resolve_name(name);

    if (call < 0) {
        fprintf(stderr, "without: no system call is called '%s'\n", name);
        return -1;
    }
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0);
}

int main(int argc, char **argv)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int failed = filter == NULL || argc < 4 || strcmp(argv[2], "--") != 0;

    for (char *name = failed ? NULL : strtok(argv[1], ","); name != NULL && !failed;
         name = strtok(NULL, ","))
        failed = forget(filter, name) != 0;
    if (failed || seccomp_load(filter) != 0) {
        fputs("usage: without CALL,... -- PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    execvp(argv[3], argv + 3);
    perror(argv[3]);
    return 127;
}
