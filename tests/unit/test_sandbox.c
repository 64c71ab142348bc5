/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox: what an encoder must still be able to do inside it, and what it must not.
 */
#include "sandbox_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>

static void *nothing(void *arg)
{
    return arg;
}

/* Whose children go into the sandbox. */
static pid_t parent;

static const char *use_the_store(void)
{
    char path[128], text[8] = "";
    pthread_t thread;
    int fd;

    snprintf(path, sizeof path, "%s/chunk", store);
    fd = open(path, O_RDONLY);
    if (fd < 0 || pread(fd, text, sizeof text, 0) != 5)
        return "cannot read the store";
    if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return "cannot start a thread";
    if (memfd_create("m", MFD_CLOEXEC) < 0)
        return "cannot make a memfd";
    return NULL;
}

/* Who it is, it may not ask; but to whom belongs what it makes? */
static bool is_root(void)
{
    struct stat st;

    return fstat(memfd_create("m", MFD_CLOEXEC), &st) == 0 && st.st_uid == 0;
}

static const char *use_what_is_allowed(void)
{
    const char *wrong = use_the_store();

    if (wrong == NULL && !is_missing(NULL))
        wrong = (const char *)missing.data;
    return wrong == NULL && is_root() ? "is still root" : wrong;
}

static const char *open_another_file(void)
{
    if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
        return "could open /etc/passwd";
    if (open("/", O_RDONLY | O_DIRECTORY) >= 0)
        return "could open /";
    return NULL;
}

static const char *write_to_the_store(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/chunk", store);
    if (open(path, O_WRONLY) >= 0)
        return "could open a chunk for writing";
    snprintf(path, sizeof path, "%s/new", store);
    if (open(path, O_WRONLY | O_CREAT, 0600) >= 0)
        return "could make a file";
    if (unlink(path) == 0 || mkdir(path, 0700) == 0)
        return "could change the store";
    return NULL;
}

static const char *run_a_program(void)
{
    char *const argv[] = {"/bin/true", NULL};

    execv("/bin/true", argv);
    if (errno != EPERM)
        return "execve was not refused";
    if (fork() >= 0 || errno != EPERM)
        return "could fork";
    return NULL;
}

static const char *connect_somewhere(void)
{
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
        return "could make a TCP socket";
    if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM)
        return "could make a local socket";
    return NULL;
}

static const char *take_rights_back(void)
{
    if (setuid(0) == 0)
        return "could become root again";
    if (chmod(store, 0777) == 0)
        return "could change modes";
    return NULL;
}

/* Whoever started the encoder still takes it along when it ends: changing ids undoes that. */
static const char *die_with_the_parent(void)
{
    int death = 0;

    if (prctl(PR_GET_PDEATHSIG, &death) != 0 && errno == EPERM)
        return "cannot ask";
    return death == SIGTERM ? NULL : "would outlive its parent";
}

/* A store that is root's alone: the encoder has to stay root. */
static const char *read_a_private_store(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/chunk", store);
    if (open(path, O_RDONLY) < 0)
        return "cannot read the store";
    if (open("/etc/passwd", O_RDONLY) >= 0)
        return "could open /etc/passwd";
    return die_with_the_parent();
}

/* Nothing but the right to read is left of a root that has to stay, filter or not. */
static void test_no_capabilities(void **state)
{
    const struct sandbox sandbox = {.store = store};
    struct err err = {0};
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(chmod(store, 0700), 0);
    pid = fork();
    if (pid == 0)
        _exit(sandbox_drop_rights(&sandbox, &missing, &err) == 0 && is_missing(NULL) &&
                      geteuid() == 0 && fchown(memfd_create("m", MFD_CLOEXEC), 65534, 65534) != 0 &&
                      errno == EPERM
                  ? 0
                  : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(store, 0755), 0);
}

static void give_store_to(uid_t uid, mode_t mode)
{
    char path[128];

    snprintf(path, sizeof path, "%s/chunk", store);
    assert_int_equal(chown(path, uid, 0) | chown(store, uid, 0), 0);
    assert_int_equal(chmod(path, mode & 0666) | chmod(store, mode), 0);
}

static void test_private_store(void **state)
{
    (void)state;
    assert_int_equal(chmod(store, 0700), 0);
    in_sandbox(read_a_private_store);
    assert_int_equal(chmod(store, 0755), 0);
}

/* Another user's: that takes a capability. */
static void test_private_store_of_another(void **state)
{
    (void)state;
    give_store_to(12345, 0700);
    in_sandbox(read_a_private_store);
    give_store_to(0, 0755);
}

static int give_up(uint32_t capabilities)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, sets) != 0)
        return -1;
    sets[0].effective &= ~capabilities;
    sets[0].permitted = sets[0].effective;
    return (int)syscall(SYS_capset, &header, sets);
}

static int be_root_of_a_container(void)
{
    return give_up(UINT32_C(1) << CAP_DAC_READ_SEARCH);
}

/* The same with no more than containers give to root. */
static void test_private_store_in_a_container(void **state)
{
    (void)state;
    before = be_root_of_a_container;
    give_store_to(12345, 0700);
    in_sandbox(read_a_private_store);
    give_store_to(0, 0755);
    before = NULL;
}

/* ---- Where it cannot all be had ---- */

static int be_root_who_cannot_change(void)
{
    return give_up(UINT32_C(1) << CAP_SETUID | UINT32_C(1) << CAP_SETGID);
}

static int be_root_who_can_change_groups(void)
{
    return give_up(UINT32_C(1) << CAP_SETUID);
}

/* What `unshare -r` does: one user, who is called root, and no way to change groups. */
static int be_root_of_a_namespace(void)
{
    static const char *const files[][2] = {{"/proc/self/setgroups", "deny"},
                                           {"/proc/self/uid_map", "0 0 1"},
                                           {"/proc/self/gid_map", "0 0 1"}};

    if (unshare(CLONE_NEWUSER) != 0)
        return -1;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const int fd = open(files[i][0], O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, files[i][1], strlen(files[i][1])) < 0)
            return -1;
        close(fd);
    }
    return 0;
}

static const char *stay_root_and_say_so(void)
{
    if (!is_root())
        return "is not root";
    if (!is_missing("runs as root"))
        return "does not say so";
    if (open("/etc/passwd", O_RDONLY) >= 0)
        return "could open /etc/passwd";
    return use_the_store();
}

static void stay_root(int (*as)(void))
{
    before = as;
    in_sandbox(stay_root_and_say_so);
    before = NULL;
}

static void test_root_without_setuid(void **state)
{
    (void)state;
    stay_root(be_root_who_cannot_change);
    stay_root(be_root_who_can_change_groups);
}

static void test_root_of_a_namespace(void **state)
{
    (void)state;
    stay_root(be_root_of_a_namespace);
}

/* As of a kernel that does not know the call. */
static int forget(int call)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    const int failed = filter == NULL ||
                       seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0) != 0 ||
                       seccomp_load(filter) != 0;

    seccomp_release(filter);
    return failed;
}

static int be_without_landlock(void)
{
    return forget(SCMP_SYS(landlock_create_ruleset));
}

static const char *read_but_never_write(void)
{
    struct open_how how = {.flags = O_WRONLY};

    if (!is_missing("Landlock"))
        return "does not say so";
    if (open("/etc/passwd", O_RDONLY) < 0)
        return "cannot read what its user can";
    if (open("/tmp/vczfs-sandbox-new", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EPERM)
        return "could make a file";
    if (syscall(SYS_openat2, AT_FDCWD, "/dev/null", &how, sizeof how) >= 0 || errno != ENOSYS)
        return "could open a file to write";
    return use_the_store();
}

static void test_no_landlock(void **state)
{
    (void)state;
    before = be_without_landlock;
    in_sandbox(read_but_never_write);
    before = NULL;
}

static int be_without_seccomp(void)
{
    return forget(SCMP_SYS(seccomp));
}

static const char *say_that_calls_are_free(void)
{
    return is_missing("no seccomp") ? use_the_store() : "does not say so";
}

static void test_no_seccomp(void **state)
{
    (void)state;
    before = be_without_seccomp;
    in_sandbox(say_that_calls_are_free);
    before = NULL;
}

/* ---- What a debugger in an encoder tried ---- */

/* On what it can open of the store: descriptors that change nothing, whatever is called. */
static const char *change_by_descriptor(const char *path)
{
    const int fd = open(path, O_RDONLY);
    int flags = FS_IMMUTABLE_FL;

    if (fd < 0)
        return "cannot read the store";
    if (fchmod(fd, 04777) == 0 || fchown(fd, 65534, 65534) == 0)
        return "could change a mode or an owner";
    if (futimens(fd, NULL) == 0 || fsetxattr(fd, "user.x", "1", 1, 0) == 0)
        return "could change times or attributes";
    if (ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0 || fremovexattr(fd, "user.x") == 0)
        return "could change flags";
    if (ftruncate(fd, 0) == 0 || fallocate(fd, 0, 0, 1 << 20) == 0 ||
        fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 5) == 0)
        return "could change a size";
    if (write(fd, "x", 1) > 0 || pwrite(fd, "x", 1, 0) > 0)
        return "could write";
    if (mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
        return "could map it to write";
    return NULL;
}

static const char *change_metadata(void)
{
    char path[128];
    const char *wrong;

    snprintf(path, sizeof path, "%s/chunk", store);
    wrong = change_by_descriptor(path);
    return wrong != NULL ? wrong : change_by_descriptor(store);
}

static void test_metadata(void **state)
{
    struct stat st[2][2];
    char path[128];

    (void)state;
    /* Its own user's: the sandbox alone stands between. */
    snprintf(path, sizeof path, "%s/chunk", store);
    give_store_to(65534, 0755);
    assert_int_equal(stat(path, &st[0][0]) | stat(store, &st[0][1]), 0);
    in_sandbox(change_metadata);
    assert_int_equal(stat(path, &st[1][0]) | stat(store, &st[1][1]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(st[0][i].st_mode, st[1][i].st_mode);
        assert_int_equal(st[0][i].st_size, st[1][i].st_size);
        assert_memory_equal(&st[0][i].st_ctim, &st[1][i].st_ctim, sizeof st[0][i].st_ctim);
    }
    give_store_to(0, 0755);
}

/* The parent has every right over the child, and the child none over it: it may be the same
 * user. */
static const char *reach_the_parent(void)
{
    struct f_owner_ex owner = {F_OWNER_PID, parent};
    struct rlimit limit = {0};
    int pair[2];

    if (syscall(SYS_tgkill, parent, parent, 0) == 0 || kill(parent, 0) == 0 ||
        syscall(SYS_tkill, parent, 0) == 0)
        return "could send a signal";
    if (prlimit(parent, RLIMIT_NOFILE, NULL, &limit) == 0)
        return "could look at its limits";
    if (prlimit(0, RLIMIT_CORE, &limit, NULL) == 0)
        return "could set limits";
    pair[0] = open(store, O_RDONLY);
    if (fcntl(pair[0], F_SETOWN, parent) == 0 || fcntl(pair[0], F_SETOWN_EX, &owner) == 0 ||
        fcntl(pair[0], F_SETSIG, SIGKILL) == 0 || fcntl(pair[0], F_SETFL, O_ASYNC) == 0)
        return "could have the kernel send a signal";
    if (fcntl(pair[0], F_NOTIFY, DN_CREATE) == 0 || fcntl(pair[0], F_SETLEASE, F_RDLCK) == 0)
        return "could watch a directory";
    if (syscall(SYS_pidfd_open, parent, 0) >= 0 ||
        syscall(SYS_process_vm_readv, parent, NULL, 0, NULL, 0, 0) == 0)
        return "could get hold of it";
    return NULL;
}

/* Without the filter, what Landlock does by itself: scopes, as of ABI 6. */
static const char *leave_landlocks_scope(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0vczfs-sandbox"};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (kill(getppid(), 0) == 0 || errno != EPERM)
        return "could send a signal";
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno != EPERM)
        return "could connect to an abstract socket";
    return NULL;
}

static void test_landlocks_scope(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0vczfs-sandbox"};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sandbox sandbox = {.store = store};
    struct err err = {0};
    bool locked;
    int status;
    pid_t pid;

    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 6) {
        print_message("Landlock here has no scopes\n");
        skip();
    }
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    pid = fork();
    if (pid == 0) {
        const char *wrong = sandbox_lock_files(&sandbox, &locked, &missing, &err) != 0 || !locked
                                ? "not locked"
                                : leave_landlocks_scope();

        if (wrong != NULL)
            puts(wrong);
        _exit(wrong != NULL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(fd);
}

IN_SANDBOX(test_allowed, use_what_is_allowed)
IN_SANDBOX(test_open, open_another_file)
IN_SANDBOX(test_write, write_to_the_store)
IN_SANDBOX(test_exec, run_a_program)
IN_SANDBOX(test_connect, connect_somewhere)
IN_SANDBOX(test_rights, take_rights_back)
IN_SANDBOX(test_death, die_with_the_parent)
IN_SANDBOX(test_parent, reach_the_parent)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_exec),
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_death),
        cmocka_unit_test(test_private_store),
        cmocka_unit_test(test_private_store_of_another),
        cmocka_unit_test(test_private_store_in_a_container),
        cmocka_unit_test(test_no_capabilities),
        cmocka_unit_test(test_root_without_setuid),
        cmocka_unit_test(test_root_of_a_namespace),
        cmocka_unit_test(test_no_landlock),
        cmocka_unit_test(test_no_seccomp),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_parent),
        cmocka_unit_test(test_landlocks_scope),
    };

    parent = getpid();
    return cmocka_run_group_tests_name("sandbox", tests, make_store, remove_store);
}
