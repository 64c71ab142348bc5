/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encoder_start: getting hold of an encoder: finding the program, starting it on one end of a
 * socketpair, or connecting to one that runs already. No event loop here.
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
    uid_t user;       /* who may run it, beside root and ourselves; ENCODER_USER_NONE: nobody */
};
#define ENCODER_USER_NONE ((uid_t)-1)

/* The program to start: `given` (--encoder) if not NULL, or the first that exists beside vczfs
 * itself and in VCZFS_LIBEXECDIR. An absolute path owned by the caller, or NULL. */
char *encoder_find(const char *given, struct err *err);

/* Starts it in a process group of its own, with our connected SOCK_SEQPACKET peer as descriptor
 * PROTO_LISTENER_FD and nothing else. The caller owns both the process and *fd. */
int encoder_spawn(const struct encoder_command *command, pid_t *pid, int *fd, struct err *err);

/* `user`, a name or a number, into out->user; NULL: nobody. */
int encoder_trust(const char *user, struct encoder_socket *out, struct err *err);

/* Connects to an encoder that listens; never blocks. ERR_SYSTEM where another user could have taken
 * its place: one who may write to the directory, or who called listen(2). (Under socket activation
 * that was systemd.) The caller owns *fd. */
int encoder_connect(const struct encoder_socket *encoder, int *fd, struct err *err);

#endif
