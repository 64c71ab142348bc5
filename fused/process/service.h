/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service: reports a mount to the service manager that started it: that it is ready, its status,
 * and that it is alive. It does nothing for a mount that no service manager started.
 */
#ifndef VCZFS_FUSED_PROCESS_SERVICE_H
#define VCZFS_FUSED_PROCESS_SERVICE_H

#include "common/err.h"

#include <event2/event.h>

struct service;

/* Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID and removes them from the environment, so
 * that the encoder cannot report in place of the front. */
struct service *service_new(struct event_base *base, struct err *err);

/* NULL is fine. */
void service_free(struct service *service);

/* Reports one line of status. */
void service_say(struct service *service, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The mount on dir is served. Reports that it is ready as soon as it has answered a stat by another
 * process. */
void service_mounted(struct service *service, const char *dir);

void service_stopping(struct service *service);

/* Reports why the mount failed. service may be NULL, if the failure came before it was made. */
void service_failed(struct service *service, const char *why);

#endif
