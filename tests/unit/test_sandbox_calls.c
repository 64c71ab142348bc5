/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_calls: each call that the kernel has, made from inside, fails with EPERM unless
 * doc/SANDBOX.md says why it does not; and those that are there may be made in no other form than
 * they need.
 *
 * So that no call is really made (exit, say), a filter beneath the sandbox's has those that carry a
 * mark traced: what the sandbox allows then fails with ENOSYS, for want of a tracer, and what it
 * refuses still fails with what the sandbox says, since of two filters the stricter has its way.
 */
#include "sandbox_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define NCALLS  1024 /* twice as many as there are in 2026: what comes later is refused, too */
#define MARK    0x5ec0115eL
#define MARK_AT (offsetof(struct seccomp_data, args) + 5 * sizeof(uint64_t))
#define THREAD  0x3d0f00L /* as glibc makes one */
#define HIGH    (1L << 32)

static const char document[] = "doc/SANDBOX.md";
static bool documented[NCALLS];
static pid_t parent;

static int trace_what_is_marked(void)
{
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, MARK_AT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof code[0], code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0;
}

/* The mark would stay in its register, for calls with fewer arguments. */
static bool is_allowed(long call, const long args[5])
{
    const bool allowed =
        syscall(call, args[0], args[1], args[2], args[3], args[4], MARK) == -1 && errno != EPERM;

    syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
    return allowed;
}

/* With any of these in all five places? */
static bool is_allowed_somehow(long call)
{
    const long values[] = {0, 1, 2, -1, HIGH, getpid(), THREAD};

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (is_allowed(call, (long[]){values[i], values[i], values[i], values[i], values[i]}))
            return true;
    return false;
}

/* Names stand in the first column of the tables of one section, in backquotes. */
static int read_document(void **state)
{
    FILE *file = fopen(document, "re");
    char line[4096];
    bool here = false;

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *save, *cell = here && line[0] == '|' ? strtok_r(line, "|", &save) : NULL;

        here |= strcmp(line, "## The calls\n") == 0;
        for (char *name = cell != NULL ? strtok_r(cell, "`, ", &save) : NULL; name != NULL;
             name = strtok_r(NULL, "`, ", &save)) {
            const int call = seccomp_syscall_resolve_name(name);

            if (call >= 0 && call < NCALLS)
                documented[call] = true;
        }
    }
    parent = getpid();
    return file == NULL || fclose(file) != 0 || make_store(state) != 0;
}

/* uretprobe and uprobe: the kernel lets them past every filter, and they only serve code that a
 * tracer put there (SIGILL and ENXIO otherwise). */
static bool is_past_filters(long call)
{
#ifdef __x86_64__
    return call == 335 || call == 336;
#else
    (void)call;
    return false;
#endif
}

static const char *make_each_call(void)
{
    static char text[128];
    size_t nallowed = 0;

    if (is_missing("seccomp"))
        return "no filter could be loaded";
    for (long call = 0; call < NCALLS; call++) {
        const bool allowed = !is_past_filters(call) && is_allowed_somehow(call);

        nallowed += allowed;
        if (allowed == documented[call])
            continue;
        snprintf(text, sizeof text, "call %ld is %s, and %s %s", call,
                 allowed ? "allowed" : "refused", documented[call] ? "in" : "not in", document);
        return text;
    }
    return nallowed > 40 ? NULL : "hardly anything is allowed: is there a document?";
}

static const struct form {
    const char *what;
    long call, args[5];
} allowed_forms[] = {
    {"opening a chunk", SYS_openat, {AT_FDCWD, 0, O_RDONLY | O_CLOEXEC | O_NONBLOCK}},
    {"holding a directory", SYS_openat, {AT_FDCWD, 0, O_PATH | O_DIRECTORY | O_NOFOLLOW}},
    {"memory", SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1}},
    {"a guard page", SYS_mprotect, {0, 4096, PROT_NONE}},
    {"a memfd", SYS_memfd_create, {0, MFD_CLOEXEC | MFD_ALLOW_SEALING}},
    {"a thread", SYS_clone, {THREAD}},
    {"a thread of musl's", SYS_clone, {THREAD | 0x400000}},
    {"not to block", SYS_fcntl, {3, F_SETFL, O_RDWR | O_NONBLOCK}},
    {"its limits", SYS_prlimit64, {0, RLIMIT_STACK, 0, 1}},
    {"a lock", SYS_futex, {0, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME}},
};

static const struct form refused_forms[] = {
    {"opening to write", SYS_openat, {AT_FDCWD, 0, O_WRONLY}},
    {"opening to read and write", SYS_openat, {AT_FDCWD, 0, O_RDWR}},
    {"opening for ioctl", SYS_openat, {AT_FDCWD, 0, O_ACCMODE}},
    {"making a file", SYS_openat, {AT_FDCWD, 0, O_RDONLY | O_CREAT}},
    {"emptying a file", SYS_openat, {AT_FDCWD, 0, O_RDONLY | O_TRUNC}},
    {"a temporary file", SYS_openat, {AT_FDCWD, 0, O_TMPFILE | O_RDWR}},
    {"opening to write, with a bit more", SYS_openat, {AT_FDCWD, 0, HIGH | O_WRONLY}},
    {"memory for code", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, 3}},
    {"code of data", SYS_mprotect, {0, 4096, PROT_EXEC}},
    {"huge pages", SYS_memfd_create, {0, MFD_HUGETLB}},
    {"a memfd to run", SYS_memfd_create, {0, 0x10 /* MFD_EXEC */}},
    {"a process", SYS_clone, {SIGCHLD}},
    {"a process that shares memory", SYS_clone, {CLONE_VM | CLONE_VFORK | SIGCHLD}},
    {"a thread in a namespace", SYS_clone, {THREAD | CLONE_NEWUSER}},
    {"a thread that is traced", SYS_clone, {THREAD | CLONE_PTRACE}},
    {"a thread without signals", SYS_clone, {THREAD & ~CLONE_SIGHAND}},
    {"signals by I/O", SYS_fcntl, {3, F_SETFL, O_ASYNC}},
    {"others' limits", SYS_prlimit64, {1, RLIMIT_STACK, 0, 1}},
    {"limits", SYS_prlimit64, {0, RLIMIT_STACK, 1, 0}},
    {"another's CPUs", SYS_sched_getaffinity, {1, 8, 1}},
    {"priority inheritance", SYS_futex, {0, FUTEX_LOCK_PI}},
    {"priority inheritance, private", SYS_futex, {0, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG}},
    {"handing on a lock with priority", SYS_futex, {0, FUTEX_CMP_REQUEUE_PI}},
    {"waiting for one", SYS_futex, {0, FUTEX_WAIT_REQUEUE_PI}},
    {"being traced", SYS_prctl, {PR_SET_PTRACER, -1}},
    {"outliving its parent", SYS_prctl, {PR_SET_PDEATHSIG, 0}},
    {"a signal to init", SYS_tgkill, {1, 1, SIGKILL}},
    {"a signal to its group", SYS_tgkill, {0, 0, SIGKILL}},
    {"a signal to all", SYS_tgkill, {-1, -1, SIGKILL}},
};

static const char *expect(const struct form *forms, size_t n, bool allowed)
{
    static char text[128];

    for (size_t i = 0; i < n; i++)
        if (is_allowed(forms[i].call, forms[i].args) != allowed) {
            snprintf(text, sizeof text, "%s: %s", forms[i].what, allowed ? "refused" : "allowed");
            return text;
        }
    return NULL;
}

static const char *make_forms(void)
{
    const char *wrong = expect(allowed_forms, sizeof allowed_forms / sizeof allowed_forms[0], true);

    return wrong != NULL
               ? wrong
               : expect(refused_forms, sizeof refused_forms / sizeof refused_forms[0], false);
}

static const char *make_signals(void)
{
    const struct form forms[] = {
        {"the front", SYS_tgkill, {parent, parent, SIGKILL}},
        {"the front, with a bit more", SYS_tgkill, {HIGH | parent, parent, SIGKILL}},
        {"the front's limits", SYS_prlimit64, {parent, RLIMIT_NOFILE, 0, 1}},
    };

    if (!is_allowed(SYS_tgkill, (long[5]){getpid(), 1, SIGABRT}))
        return "cannot abort";
    return expect(forms, sizeof forms / sizeof forms[0], false);
}

/* All that fcntl can do, but for what is in the document. */
static const char *make_fcntls(void)
{
    static const int due[] = {F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,    F_GETFL,
                              F_SETFL,         F_ADD_SEALS, F_GET_SEALS};
    size_t nallowed = 0;

    for (int command = 0; command < 2048; command++)
        nallowed += is_allowed(SYS_fcntl, (long[5]){3, command, 0});
    for (size_t i = 0; i < sizeof due / sizeof due[0]; i++)
        if (!is_allowed(SYS_fcntl, (long[5]){3, due[i], 0}))
            return "a command that it needs is refused";
    return nallowed == sizeof due / sizeof due[0] ? NULL : "more commands of fcntl are allowed";
}

/* Not marked: these would say something else of what they are handed. */
static const char *ask_for_what_is_replaced(void)
{
    if (syscall(SYS_clone3, NULL, 0) == 0 || errno != ENOSYS)
        return "clone3 is there";
    return NULL;
}

IN_SANDBOX(test_each_call, make_each_call)
IN_SANDBOX(test_forms, make_forms)
IN_SANDBOX(test_signals, make_signals)
IN_SANDBOX(test_fcntls, make_fcntls)
IN_SANDBOX(test_replaced, ask_for_what_is_replaced)

static int remove_document(void **state)
{
    buf_free(&missing);
    return remove_store(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call), cmocka_unit_test(test_forms),
        cmocka_unit_test(test_signals),   cmocka_unit_test(test_fcntls),
        cmocka_unit_test(test_replaced),
    };

    before = trace_what_is_marked;
    return cmocka_run_group_tests_name("sandbox_calls", tests, read_document, remove_document);
}
