/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_rights: from root to user nobody, with no capability except that to read.
 */
#include "common/cleanup.h"
#include "common/log.h"
#include "encoderd/sandbox/sandbox_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Limits of the look at the store's modes: entries of each directory, and levels of directories. */
#define READABLE_SAMPLE 64
#define READABLE_DEPTH  3

/* True if this process may read `path` and, if it is a directory, what is in it, as far as `depth`
 * levels and a sample of each directory show. */
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

/* Takes on a user's ids, and no group's, for good. It uses syscall(2) to change the calling thread
 * only: the C library's functions would change all threads. -1 with errno. */
static int become(const struct passwd *user)
{
    const uid_t uid = user->pw_uid;
    const gid_t gid = user->pw_gid;

    return syscall(SYS_setgroups, 0, NULL) != 0 || syscall(SYS_setresgid, gid, gid, gid) != 0 ||
                   syscall(SYS_setresuid, uid, uid, uid) != 0
               ? -1
               : 0;
}

struct read_check {
    const struct passwd *user;
    const char *store;
    int errnum; /* why this is not known; 0: it is */
    bool readable;
};

/* Runs in its own thread, whose ids end with it, because there may be no way back to root. */
static void *run_trial(void *arg)
{
    struct read_check *trial = arg;

    if (become(trial->user) != 0)
        trial->errnum = errno;
    else
        trial->readable = tree_is_readable(AT_FDCWD, trial->store, READABLE_DEPTH);
    return NULL;
}

/* Finds out whether another user may read the store. */
static void try_user(struct read_check *trial)
{
    pthread_t thread;
    const int failed = pthread_create(&thread, NULL, run_trial, trial);

    if (failed != 0)
        trial->errnum = failed;
    else
        pthread_join(thread, NULL);
}

/* Every change of ids clears the parent-death signal, so it is set again. */
static int become_for_good(const struct passwd *user, struct err *err)
{
    const pid_t parent = getppid();
    int death = 0;

    prctl(PR_GET_PDEATHSIG, &death);
    if (become(user) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot become user %s", user->pw_name);
    prctl(PR_SET_PDEATHSIG, death);
    if (death != 0 && getppid() != parent)
        return err_set(err, ERR_PEER, "whoever started this encoder is gone");
    return 0;
}

static int drop_root(const char *store, struct buf *missing, struct err *err)
{
    const struct passwd *nobody = geteuid() == 0 ? getpwnam("nobody") : NULL;
    struct read_check trial = {.user = nobody, .store = store};

    if (nobody == NULL)
        return 0;
    try_user(&trial);
    if (trial.readable)
        return become_for_good(nobody, err);
    if (trial.errnum == 0)
        log_debug("nobody may not read the store: the encoder stays root");
    else
        sandbox_lacks(missing, "it runs as root (it may not become user nobody here: %s)",
                      strerror(trial.errnum));
    return 0;
}

/* The capability that root needs to read another user's store. Containers often have only the
 * stronger one (CAP_DAC_OVERRIDE); it does no harm, because nothing can be written anyway. */
static uint32_t needed_of(uint32_t permitted)
{
    const uint32_t read = UINT32_C(1) << CAP_DAC_READ_SEARCH;

    if (geteuid() != 0)
        return 0;
    return (permitted & read) != 0 ? read : UINT32_C(1) << CAP_DAC_OVERRIDE;
}

/* Capabilities are dropped also for users other than root, who may have been given some: the front
 * needs one to mount. -1 with errno. */
static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    uint32_t had = 0;

    if (syscall(SYS_capget, &header, sets) != 0)
        return -1;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        had |= sets[i].permitted | sets[i].inheritable;
        sets[i].permitted &= i == 0 ? needed_of(sets[i].permitted) : 0;
        sets[i].effective = sets[i].permitted;
        sets[i].inheritable = 0; /* which also clears the ambient set */
    }
    /* A process without capabilities may be forbidden to ask for this. */
    return had != 0 && syscall(SYS_capset, &header, sets) != 0 ? -1 : 0;
}

int sandbox_drop_rights(const struct sandbox *sandbox, struct buf *missing, struct err *err)
{
    if (drop_root(sandbox->store, missing, err) != 0)
        return -1;
    if (drop_capabilities() != 0)
        sandbox_lacks(missing, "it keeps its capabilities (%s)", strerror(errno));
    return 0;
}
