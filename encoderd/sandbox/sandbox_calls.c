/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_calls: seccomp. A system call that is not in the table below fails with EPERM; one that
 * is may be made only in the forms that the table has. doc/SANDBOX.md gives the reason for each,
 * and tests/unit/test_sandbox.c compares the two and makes every call that the kernel has.
 */
#include "encoderd/sandbox/sandbox_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* A system call in one form; a call may have several rules, each of which allows a form. */
struct call_rule {
    int call;
    unsigned nargs;
    struct scmp_arg_cmp args[2];
};

/* The kernel uses the low 32 bits of an int argument, whatever the high bits are. */
#define IS(arg, value)      SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, value)
#define HAS_NOT(arg, flags) SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, flags, 0)

#define CALL(name)                                                                                 \
    {                                                                                              \
        SCMP_SYS(name), 0,                                                                         \
        {                                                                                          \
            {                                                                                      \
                0                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
#define CALL_1(name, one)                                                                          \
    {                                                                                              \
        SCMP_SYS(name), 1,                                                                         \
        {                                                                                          \
            one                                                                                    \
        }                                                                                          \
    }
#define CALL_2(name, one, two)                                                                     \
    {                                                                                              \
        SCMP_SYS(name), 2,                                                                         \
        {                                                                                          \
            one, two                                                                               \
        }                                                                                          \
    }

#define FUTEX(operation)                                                                           \
    CALL_1(futex, SCMP_CMP(1, SCMP_CMP_MASKED_EQ,                                                  \
                           UINT32_MAX & ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME),    \
                           operation))

#define OPEN_TO_WRITE  (O_ACCMODE | O_CREAT | O_TRUNC)
#define MFD_NOEXEC     8u /* MFD_NOEXEC_SEAL, of Linux 6.3 */
#define MFD_NOT_NEEDED (UINT32_MAX & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC))

/* A new thread of this process, as C libraries start one: no new process, no namespace. musl adds
 * the last flag, which has no effect. */
#define THREAD                                                                                     \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |            \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define IS_THREAD SCMP_CMP(0, SCMP_CMP_MASKED_EQ, ~(uint64_t)CLONE_DETACHED, THREAD)

static const struct call_rule rules[] = {
    /* The store's files. */
    CALL_1(openat, HAS_NOT(2, OPEN_TO_WRITE)),
    CALL(close),
    CALL(read),
    CALL(readv),
    CALL(pread64),
    CALL(preadv),
    CALL(preadv2),
    CALL(lseek),
    CALL(fstat),
    CALL(stat),
    CALL(lstat),
    CALL(newfstatat),
    CALL(statx),
    CALL(fstatfs),
    CALL(fadvise64),
    CALL(getdents64),
    /* Calls on descriptors that are open already. */
    CALL(write),
    CALL(writev),
    CALL(pwrite64),
    CALL(ftruncate),
    CALL(fallocate),
    CALL_1(fcntl, IS(1, F_DUPFD_CLOEXEC)),
    CALL_1(fcntl, IS(1, F_GETFD)),
    CALL_1(fcntl, IS(1, F_SETFD)),
    CALL_1(fcntl, IS(1, F_GETFL)),
    CALL_2(fcntl, IS(1, F_SETFL), HAS_NOT(2, O_ASYNC)),
    CALL_1(fcntl, IS(1, F_ADD_SEALS)),
    CALL_1(fcntl, IS(1, F_GET_SEALS)),
    CALL(sendmsg),
    CALL(recvmsg),
    /* Memory. */
    CALL_1(mmap, HAS_NOT(2, PROT_EXEC)),
    CALL_1(mprotect, HAS_NOT(2, PROT_EXEC)),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    CALL(brk),
    CALL_1(memfd_create, HAS_NOT(1, MFD_NOT_NEEDED)),
    /* Threads. */
    CALL_1(clone, IS_THREAD),
    FUTEX(FUTEX_WAIT),
    FUTEX(FUTEX_WAKE),
    FUTEX(FUTEX_REQUEUE),
    FUTEX(FUTEX_CMP_REQUEUE),
    FUTEX(FUTEX_WAKE_OP),
    FUTEX(FUTEX_WAIT_BITSET),
    FUTEX(FUTEX_WAKE_BITSET),
    CALL(set_robust_list),
    CALL(rseq),
    CALL(sched_yield),
    CALL_1(sched_getaffinity, IS(0, 0)),
    CALL(gettid),
    CALL(getpid),
    CALL(exit),
    CALL(exit_group),
    /* Signals. */
    CALL(sigaltstack),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(restart_syscall),
    /* What the C library asks for. */
    CALL(getrandom),
    CALL(sysinfo),
    CALL(getrlimit),
    CALL_2(prlimit64, IS(0, 0), SCMP_CMP(2, SCMP_CMP_MASKED_EQ, UINT64_MAX, 0)),
    CALL_1(prctl, IS(0, PR_GET_PDEATHSIG)),
    /* Time, and the loop. */
    CALL(clock_gettime),
    CALL_1(getrusage, IS(0, RUSAGE_THREAD)),
    CALL(gettimeofday),
    CALL(time),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(poll),
    CALL(ppoll),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(epoll_pwait2),
    CALL(eventfd2),
};

static int allow(scmp_filter_ctx filter)
{
    int failed = 0;

    for (size_t i = 0; failed == 0 && i < sizeof rules / sizeof rules[0]; i++)
        failed = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rules[i].call, rules[i].nargs,
                                        rules[i].args);
    return failed;
}

/* Signals to this process's own threads: abort() and fault handlers send them. */
static int allow_own_signals(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, IS(0, (uint32_t)getpid()));
}

/* The arguments of clone3 and openat2 are in memory, which no filter sees. A C library to which the
 * kernel says that they do not exist (ENOSYS) uses clone and openat instead. Landlock restricts
 * what openat2 opens. */
static int replace_blind_calls(scmp_filter_ctx filter, bool locked)
{
    const uint32_t opened = locked ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS);
    const int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    return failed != 0 ? failed : seccomp_rule_add(filter, opened, SCMP_SYS(openat2), 0);
}

void sandbox_filter_calls(bool locked, struct buf *missing)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int failed = filter == NULL ? -ENOMEM : 0;

    if (failed == 0)
        failed = allow(filter);
    if (failed == 0)
        failed = allow_own_signals(filter);
    if (failed == 0)
        failed = replace_blind_calls(filter, locked);
    if (failed == 0)
        failed = seccomp_load(filter);
    if (filter != NULL)
        seccomp_release(filter);
    if (failed != 0)
        sandbox_lacks(missing, "it can make any system call (no seccomp: %s)", strerror(-failed));
}
