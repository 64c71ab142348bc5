/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor: starts, reaps and kills the process of the encoder, or connects to the socket of an
 * encoder that somebody else runs. The link decides when.
 */
#ifndef VCZFS_FUSED_ENCODER_SUPERVISOR_H
#define VCZFS_FUSED_ENCODER_SUPERVISOR_H

#include "fused/encoder/encoder_start.h"

#include <event2/event.h>

struct supervisor;

/* If socket->path is not NULL, the supervisor connects there and never starts a process. The
 * pointers in both arguments are borrowed. */
struct supervisor *supervisor_new(struct event_base *base, const struct encoder_command *command,
                                  const struct encoder_socket *socket, struct err *err);

/* Kills all its processes, and waits for them only for the short time that killed processes
 * need. */
void supervisor_free(struct supervisor *sup);

/* *fd is a socket connected to a new encoder, owned by the caller. Discard the previous encoder
 * before. */
int supervisor_start(struct supervisor *sup, int *fd, struct err *err);

/* Kills the current encoder, which is of no more use. It is reaped later, when it has died. */
void supervisor_discard(struct supervisor *sup);

/* Call it after the connection was closed. Waits at most grace_ms for the encoder to end by itself,
 * then kills it. Only for the end of the front, which may block that long; no encoder can be
 * started afterwards. */
void supervisor_stop(struct supervisor *sup, int grace_ms);

/* The encoder serves the view. From now on, if it is killed for lack of memory, that is
 * reported. */
void supervisor_serving(struct supervisor *sup);

/* How the last encoder ended that was not stopped by us and did not end normally; "" if none
 * did. */
const char *supervisor_last_end(const struct supervisor *sup);

#endif
