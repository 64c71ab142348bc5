/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor: the encoder as a process (or as a socket somebody else's encoder listens on): start
 * it, notice and reap its end, get rid of it. When to do so is the link's business.
 */
#ifndef VCZFS_FUSED_ENCODER_SUPERVISOR_H
#define VCZFS_FUSED_ENCODER_SUPERVISOR_H

#include "fused/encoder/encoder_start.h"

#include <event2/event.h>

struct supervisor;

/* socket->path not NULL: connect there and never start anything. What both point to is borrowed. */
struct supervisor *supervisor_new(struct event_base *base, const struct encoder_command *command,
                                  const struct encoder_socket *socket, struct err *err);

/* Kills what is left, without waiting longer than a killed process needs. */
void supervisor_free(struct supervisor *sup);

/* A connected socket to a new encoder, the caller's. The one before must have been discarded. */
int supervisor_start(struct supervisor *sup, int *fd, struct err *err);

/* The current encoder is of no more use: kill it. It is reaped when it has died. */
void supervisor_discard(struct supervisor *sup);

/* The connection has been closed: wait at most grace_ms for the encoder to end by itself, then kill
 * it. For the end of the front, where blocking that long is right:
 * no encoder can be started afterwards. */
void supervisor_stop(struct supervisor *sup, int grace_ms);

/* The encoder is open and serves: from now on its death may be for lack of memory, and is said to
 * be. */
void supervisor_serving(struct supervisor *sup);

/* How the last encoder that ended by itself and in disorder did; "" if none has. */
const char *supervisor_last_end(const struct supervisor *sup);

#endif
