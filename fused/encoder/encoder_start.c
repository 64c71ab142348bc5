/* SPDX-License-Identifier: Apache-2.0 */
#include "fused/encoder/encoder_start.h"

#include "common/cleanup.h"
#include "fused/process/child.h"
#include "proto/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define ENCODER_NAME "vczfs-encoderd"

static char *beside_ourselves(void)
{
    char self[PATH_MAX + 1];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    char *path, *slash;

    if (len <= 0)
        return NULL;
    self[len] = '\0';
    slash = strrchr(self, '/');
    if (slash == NULL)
        return NULL;
    *slash = '\0';
    return asprintf(&path, "%s/%s", self, ENCODER_NAME) < 0 ? NULL : path;
}

static char *find_given(const char *given, struct err *err)
{
    char *path = realpath(given, NULL);

    if (path == NULL)
        err_sys(err, ERR_NOT_FOUND, errno, "no encoder at '%s'", given);
    else if (access(path, X_OK) != 0) {
        err_sys(err, ERR_NOT_FOUND, errno, "cannot run the encoder '%s'", given);
        free(steal_ptr(&path));
    }
    return path;
}

char *encoder_find(const char *given, struct err *err)
{
    AUTO_FREE char *beside = NULL;

    if (given != NULL)
        return find_given(given, err);
    beside = beside_ourselves();
    if (beside != NULL && access(beside, X_OK) == 0)
        return steal_ptr(&beside);
    if (access(VCZFS_LIBEXECDIR "/" ENCODER_NAME, X_OK) == 0)
        return strdup(VCZFS_LIBEXECDIR "/" ENCODER_NAME);
    err_set(err, ERR_NOT_FOUND,
            "cannot find " ENCODER_NAME ": it is neither beside vczfs (%s) nor in " VCZFS_LIBEXECDIR
            "; say where with --encoder PATH",
            beside != NULL ? beside : "unknown place");
    return NULL;
}

/* The encoder gets its own process group, so that ^C in a terminal does not reach it: the front
 * decides when it ends. */
static int set_attributes(posix_spawnattr_t *attr)
{
    const int rc = child_attributes(attr, POSIX_SPAWN_SETPGROUP);

    return rc != 0 ? rc : posix_spawnattr_setpgroup(attr, 0);
}

static int set_descriptors(posix_spawn_file_actions_t *actions, int stderr_fd, int sock)
{
    int rc;

    if ((rc = posix_spawn_file_actions_adddup2(actions, stderr_fd, STDERR_FILENO)) != 0 ||
        (rc = posix_spawn_file_actions_adddup2(actions, sock, PROTO_LISTENER_FD)) != 0 ||
        (rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0)) != 0)
        return rc;
    return posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
}

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};

    return names[level];
}

static int spawn(const struct encoder_command *command, int sock, pid_t *pid)
{
    char memory[24], threads[12];
    const char *argv[] = {command->path, "--memory", memory, "--threads", threads,
                          "--log-level", NULL,       NULL,   NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int rc;

    argv[6] = level_name(command->log_level);
    if (command->no_sandbox)
        argv[7] = "--no-sandbox";
    snprintf(memory, sizeof memory, "%" PRIu64, command->memory);
    snprintf(threads, sizeof threads, "%u", command->threads);
    if ((rc = posix_spawnattr_init(&attr)) != 0)
        return rc;
    if ((rc = posix_spawn_file_actions_init(&actions)) != 0) {
        posix_spawnattr_destroy(&attr);
        return rc;
    }
    rc = set_attributes(&attr);
    if (rc == 0)
        rc = set_descriptors(&actions, command->stderr_fd, sock);
    if (rc == 0)
        rc = posix_spawn(pid, command->path, &actions, &attr, (char *const *)(uintptr_t)argv,
                         environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return rc;
}

int encoder_spawn(const struct encoder_command *command, pid_t *pid, int *fd, struct err *err)
{
    int pair[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot make a socket for the encoder");
    rc = spawn(command, pair[1], pid);
    close(pair[1]);
    if (rc != 0) {
        close(pair[0]);
        return err_sys(err, ERR_SYSTEM, rc, "cannot start the encoder '%s'", command->path);
    }
    *fd = pair[0];
    return 0;
}

/* False if it is no number, or none that a user can have. */
static bool user_number(const char *text, uid_t *out)
{
    unsigned long number;
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    number = strtoul(text, &end, 10);
    *out = (uid_t)number;
    return errno == 0 && *end == '\0' && number < ENCODER_USER_NONE;
}

int encoder_trust(const char *user, struct encoder_socket *out, struct err *err)
{
    const struct passwd *found = user != NULL ? getpwnam(user) : NULL;

    out->user = found != NULL ? found->pw_uid : ENCODER_USER_NONE;
    if (user == NULL || found != NULL)
        return 0;
    if (!user_number(user, &out->user))
        return err_set(err, ERR_USAGE, "--encoder-user: there is no user '%s'", user);
    return 0;
}

static bool is_trusted(const struct encoder_socket *encoder, uid_t uid)
{
    return uid == 0 || uid == geteuid() ||
           (encoder->user != ENCODER_USER_NONE && uid == encoder->user);
}

/* "1001 (bob)" */
static const char *user_text(uid_t uid, char *text, size_t size)
{
    const struct passwd *user = getpwuid(uid);

    snprintf(text, size, user != NULL ? "%u (%s)" : "%u", (unsigned)uid,
             user != NULL ? user->pw_name : "");
    return text;
}

/* Checks that no other user can have put another socket at this path: either only trusted users may
 * write to the directory, or it is sticky and a trusted user owns the socket. */
static int check_place(const struct encoder_socket *encoder, struct err *err)
{
    const char *slash = strrchr(encoder->path, '/');
    AUTO_FREE char *dir =
        slash != NULL ? strndup(encoder->path, (size_t)(slash - encoder->path) + 1) : strdup(".");
    struct stat above, st;
    char who[64];

    if (dir == NULL)
        return err_nomem(err, "starting an encoder");
    if (stat(dir, &above) != 0 || lstat(encoder->path, &st) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot connect to an encoder at '%s'",
                       encoder->path);
    if (!is_trusted(encoder, above.st_uid) ||
        ((above.st_mode & 022) != 0 && (above.st_mode & S_ISVTX) == 0))
        return err_set(err, ERR_SYSTEM,
                       "no encoder at '%s' can be trusted: others may write to its directory; "
                       "have it listen in one where only its user may (mode 0755 or 0700)",
                       encoder->path);
    if (!is_trusted(encoder, st.st_uid))
        return err_set(err, ERR_SYSTEM,
                       "the socket '%s' is user %s's: if that is the encoder's user, say so with "
                       "--encoder-user",
                       encoder->path, user_text(st.st_uid, who, sizeof who));
    return 0;
}

static int check_peer(const struct encoder_socket *encoder, int fd, struct err *err)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    char who[64];

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot tell who listens at '%s'", encoder->path);
    if (is_trusted(encoder, peer.uid))
        return 0;
    return err_set(err, ERR_SYSTEM,
                   "user %s listens at '%s': if that is the encoder's user, say so with "
                   "--encoder-user",
                   user_text(peer.uid, who, sizeof who), encoder->path);
}

int encoder_connect(const struct encoder_socket *encoder, int *fd, struct err *err)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    AUTO_CLOSE int sock = -1;

    if (strlen(encoder->path) >= sizeof addr.sun_path)
        return err_set(err, ERR_USAGE, "the path '%s' is too long for a socket", encoder->path);
    strcpy(addr.sun_path, encoder->path);
    if (check_place(encoder, err) != 0)
        return -1;
    sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot make a socket");
    if (connect(sock, (const struct sockaddr *)&addr, sizeof addr) != 0)
        return err_sys(err, ERR_SYSTEM, errno, "cannot connect to an encoder at '%s'",
                       encoder->path);
    if (check_peer(encoder, sock, err) != 0)
        return -1;
    *fd = steal_fd(&sock);
    return 0;
}
