/*
 * sandbox: what an encoder must still be able to do inside it, and what it must not.
 */
#include "encoderd/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
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

/* What the process in the sandbox is to begin with, if that is not all that we have. */
static const struct __user_cap_data_struct *capabilities;

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
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct err err = {0};
        const char *wrong;

        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (capabilities != NULL && syscall(SYS_capset, &header, capabilities) != 0)
            _exit(4);
        wrong = sandbox_enter(&sandbox, &err) != 0 ? err.msg : inside();

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

static void *nothing(void *arg)
{
    return arg;
}

static const char *use_what_is_allowed(void)
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
    return geteuid() == 0 ? "is still root" : NULL;
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
    if (fchown(memfd_create("m", MFD_CLOEXEC), 65534, 65534) == 0 || errno != EPERM)
        return "has root's capabilities";
    return die_with_the_parent();
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

/* The same with no more than containers give to root. */
static void test_private_store_in_a_container(void **state)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct few[_LINUX_CAPABILITY_U32S_3];

    (void)state;
    assert_int_equal(syscall(SYS_capget, &header, few), 0);
    few[0].effective &= ~(UINT32_C(1) << CAP_DAC_READ_SEARCH);
    few[0].permitted = few[0].effective;
    capabilities = few;
    give_store_to(12345, 0700);
    in_sandbox(read_a_private_store);
    give_store_to(0, 0755);
    capabilities = NULL;
}

#define IN_SANDBOX(name, inside)                                                                   \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        in_sandbox(inside);                                                                        \
    }
IN_SANDBOX(test_allowed, use_what_is_allowed)
IN_SANDBOX(test_open, open_another_file)
IN_SANDBOX(test_write, write_to_the_store)
IN_SANDBOX(test_exec, run_a_program)
IN_SANDBOX(test_connect, connect_somewhere)
IN_SANDBOX(test_rights, take_rights_back)
IN_SANDBOX(test_death, die_with_the_parent)

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
    };

    return cmocka_run_group_tests_name("sandbox", tests, make_store, remove_store);
}
