/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encoder_start: finds the encoder's program and starts it on one end of a socketpair, or connects
 * to an encoder that runs already. No event loop here.
 */
#ifndef VCZFS_FUSED_ENCODER_ENCODER_START_H
#define VCZFS_FUSED_ENCODER_ENCODER_START_H

#include "common/err.h"
#include "common/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct encoder_command {
    const char *path; /* the program */
    uint64_t memory;  /* bytes */
    unsigned threads;
    enum log_level log_level;
    bool no_sandbox;
    int stderr_fd; /* becomes the encoder's stderr */
};

/* An encoder that somebody else runs. */
struct encoder_socket {
    const char *path; /* where it listens */
    uid_t user;       /* trusted besides root and ourselves, or ENCODER_USER_NONE */
};
#define ENCODER_USER_NONE ((uid_t)-1)

/* The path of the program: `given` (--encoder) if it is not NULL, else the first that exists in
 * vczfs's own directory or in VCZFS_LIBEXECDIR. It is absolute and the caller owns it; NULL if
 * there is none. */
char *encoder_find(const char *given, struct err *err);

/* Starts an encoder in a process group of its own. Its only descriptor besides stdin, stdout and
 * stderr is PROTO_LISTENER_FD, a SOCK_SEQPACKET socket connected to ours. The caller owns the
 * process and *fd. */
int encoder_spawn(const struct encoder_command *command, pid_t *pid, int *fd, struct err *err);

/* Sets out->user from `user`, a name or a number; NULL: nobody. */
int encoder_trust(const char *user, struct encoder_socket *out, struct err *err);

/* Connects to an encoder that listens; never blocks. ERR_SYSTEM if another user could be listening
 * in its place: one who may write to the directory, or who called listen(2). (Under socket
 * activation it was systemd that called it.) The caller owns *fd. */
int encoder_connect(const struct encoder_socket *encoder, int *fd, struct err *err);

#endif
