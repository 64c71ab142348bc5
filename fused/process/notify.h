/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify: what a service manager is told, in systemd's protocol: lines of KEY=VALUE in a datagram
 * to the socket that $NOTIFY_SOCKET names. Nothing anywhere else.
 */
#ifndef VCZFS_FUSED_PROCESS_NOTIFY_H
#define VCZFS_FUSED_PROCESS_NOTIFY_H

#include "common/err.h"

/* A connected socket, the caller's; -1 without an error if nobody wants to know, with one (its code
 * is set) if the path makes no sense. */
int notify_open(const char *path, struct err *err);

/* One datagram; a manager that does not listen is not waited for. fd -1: nothing. */
void notify_send(int fd, const char *text);

#endif
