/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify: tells a service manager about this process in systemd's protocol: lines of KEY=VALUE in a
 * datagram to the socket that $NOTIFY_SOCKET names. Without that variable it does nothing.
 */
#ifndef VCZFS_FUSED_PROCESS_NOTIFY_H
#define VCZFS_FUSED_PROCESS_NOTIFY_H

#include "common/err.h"

/* A connected socket, owned by the caller. -1 without an error if there is no service manager, and
 * -1 with an error (its code is set) if the path is wrong. */
int notify_open(const char *path, struct err *err);

/* Sends one datagram, without waiting for the manager to read it. Does nothing if fd is -1. */
void notify_send(int fd, const char *text);

#endif
