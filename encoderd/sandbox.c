#include "encoderd/sandbox.h"

#include "common/cleanup.h"
#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Rights that came after the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* The ruleset attribute as of ABI 4: files and TCP. */
struct ruleset {
    uint64_t files;
    uint64_t network;
};
#define NETWORK_ALL UINT64_C(3) /* bind and connect TCP */

/* All file rights that a kernel of this ABI knows: what is not handled is not restricted. */
static uint64_t file_rights(int abi)
{
    uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

    if (abi >= 2)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (abi >= 5)
        rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return rights;
}

static int allow_path(int ruleset, const char *path, uint64_t rights, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr beneath = {.allowed_access = rights, .parent_fd = fd};
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot open %s for the sandbox", path);
    if (!S_ISDIR(st.st_mode))
        beneath.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot allow %s in the sandbox", path);
    return 0;
}

static int enter_landlock(const struct sandbox *sandbox, struct err *err)
{
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct ruleset rules;
    size_t size;
    AUTO_CLOSE int ruleset = -1;

    if (abi < 1) { /* errno says whether the kernel has none, or a container's filter hides it */
        log_warning("no Landlock here (%s): the encoder can open what its user can",
                    strerror(errno));
        return 0;
    }
    rules = (struct ruleset){file_rights((int)abi), abi >= 4 ? NETWORK_ALL : 0};
    size = abi >= 4 ? sizeof rules : sizeof rules.files;
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot make a Landlock ruleset");
    if (allow_path(ruleset, sandbox->follow_links ? "/" : sandbox->store, RIGHTS_READ, err) != 0)
        return -1;
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot enter the Landlock sandbox");
    return 0;
}

/* Entries of each directory, and levels of directories, that a look at the store's modes takes in. */
#define READABLE_SAMPLE 64
#define READABLE_DEPTH  3

/* What reading files, decoding, serving a socket and SQLite on a temporary file take. */
static const int allowed_calls[] = {
    /* files */
    SCMP_SYS(openat),
    SCMP_SYS(openat2),
    SCMP_SYS(close),
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(preadv2),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(fstatfs),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(getdents64),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
    SCMP_SYS(fcntl),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fadvise64),
    SCMP_SYS(dup),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchown),
    SCMP_SYS(umask),
    SCMP_SYS(geteuid),
    SCMP_SYS(getuid),
    SCMP_SYS(getegid),
    SCMP_SYS(getgid),
    SCMP_SYS(sendfile),
    SCMP_SYS(copy_file_range),
    /* memory */
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(memfd_create),
    SCMP_SYS(mincore),
    /* threads */
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(tgkill),
    SCMP_SYS(membarrier),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getrandom),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(prlimit64),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
    /* time and the loop */
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(eventfd2),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(pipe2),
    /* the socket that is there */
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(recvfrom),
    SCMP_SYS(getsockopt),
    SCMP_SYS(shutdown),
};

/* New threads, but no new processes; clone3 hides its flags from a filter, and glibc goes on with clone
 * where it does not exist. */
static int allow_threads(scmp_filter_ctx filter)
{
    const int thread =
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                         SCMP_A0(SCMP_CMP_MASKED_EQ, 0x00010000 /* CLONE_THREAD */, 0x00010000));

    return thread != 0 ? thread
                       : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static int enter_seccomp(struct err *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int failed = filter == NULL ? -ENOMEM : 0;

    for (size_t i = 0; failed == 0 && i < sizeof allowed_calls / sizeof allowed_calls[0]; i++)
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0);
    if (failed == 0)
        failed = allow_threads(filter);
    if (failed == 0) /* to be able to show that it still dies with its parent */
        failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                                  SCMP_A0(SCMP_CMP_EQ, PR_GET_PDEATHSIG, 0));
    if (failed == 0)
        failed = seccomp_load(filter);
    if (filter != NULL)
        seccomp_release(filter);
    if (failed != 0)
        return err_sys(err, ERR_SYSTEM, -failed, "cannot load the seccomp filter");
    return 0;
}

/* May this process read `path`, and if it is a directory, what is in it, as far as `depth` and a sample of
 * each directory tell? */
static bool tree_is_readable(int at, const char *path, unsigned depth)
{
    const int fd = openat(at, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const struct dirent *entry;
    bool readable = fd >= 0;
    struct stat st;
    DIR *dir;

    if (!readable || fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode) || depth == 0 ||
        (dir = fdopendir(fd)) == NULL) {
        if (fd >= 0)
            close(fd);
        return readable;
    }
    for (unsigned n = 0; readable && n < READABLE_SAMPLE && (entry = readdir(dir)) != NULL; n++)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            readable = tree_is_readable(fd, entry->d_name, depth - 1);
    closedir(dir);
    return readable;
}

/* Takes on nobody's ids, and no group's, for good. */
static int become(const struct passwd *user, struct err *err)
{
    if (setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot become user %s", user->pw_name);
    return 0;
}

/* Becomes nobody if nobody may read the store. */
static int try_nobody(const struct sandbox *sandbox, const struct passwd *nobody, struct err *err)
{
    gid_t groups[64];
    const int ngroups = getgroups(64, groups);
    bool readable;

    if (ngroups < 0)
        return 0;
    if (setgroups(0, NULL) != 0 || setegid(nobody->pw_gid) != 0 || seteuid(nobody->pw_uid) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot try the store as user nobody");
    readable = tree_is_readable(AT_FDCWD, sandbox->store, READABLE_DEPTH);
    if (seteuid(0) != 0 || setegid(0) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot come back from user nobody");
    if (readable)
        return become(nobody, err);
    log_debug("nobody may not read the store: the encoder stays root");
    if (setgroups((size_t)ngroups, groups) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot take root's groups back");
    return 0;
}

static int drop_root(const struct sandbox *sandbox, struct err *err)
{
    const struct passwd *nobody = geteuid() == 0 ? getpwnam("nobody") : NULL;
    const pid_t parent = getppid();
    int death = 0, result;

    if (nobody == NULL)
        return 0;
    prctl(PR_GET_PDEATHSIG, &death);
    result = try_nobody(sandbox, nobody, err);
    /* Every change of ids, also there and back, makes the kernel forget it. */
    prctl(PR_SET_PDEATHSIG, death);
    if (death != 0 && getppid() != parent)
        return err_set(err, ERR_PEER, "whoever started this encoder is gone");
    return result;
}

/* What a root that stays needs to read another user's store. Containers tend to have only the stronger one,
 * and nothing can be written anyway. */
static uint32_t needed_of(uint32_t permitted)
{
    const uint32_t read = UINT32_C(1) << CAP_DAC_READ_SEARCH;

    if (geteuid() != 0)
        return 0;
    return (permitted & read) != 0 ? read : UINT32_C(1) << CAP_DAC_OVERRIDE;
}

/* A user who is not root may have been given capabilities, too: the front needs one to mount. */
static int drop_capabilities(struct err *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    uint32_t had = 0;

    if (syscall(SYS_capget, &header, sets) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot look at the capabilities");
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        had |= sets[i].permitted | sets[i].inheritable;
        sets[i].permitted &= i == 0 ? needed_of(sets[i].permitted) : 0;
        sets[i].effective = sets[i].permitted;
        sets[i].inheritable = 0; /* and so none is ambient */
    }
    /* Who has none may be forbidden to ask for that. */
    if (had != 0 && syscall(SYS_capset, &header, sets) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot give up capabilities");
    return 0;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAVE_SANITIZER 1
#else
#define HAVE_SANITIZER 0
#endif

int sandbox_enter(const struct sandbox *sandbox, struct err *err)
{
    if (HAVE_SANITIZER) {
        log_debug("built with sanitizers: no sandbox");
        return 0;
    }
    if (drop_root(sandbox, err) != 0 || drop_capabilities(err) != 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot give up new privileges");
    if (enter_landlock(sandbox, err) != 0)
        return -1;
    return enter_seccomp(err);
}
