/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service: a mount as a service manager sees it: when it is ready, how it is, that it is alive.
 * Does nothing for a mount that no service manager has started.
 */
#ifndef VCZFS_FUSED_PROCESS_SERVICE_H
#define VCZFS_FUSED_PROCESS_SERVICE_H

#include "common/err.h"

#include <event2/event.h>

struct service;

/* Takes $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, and takes them out of the environment, so
 * that the encoder does not speak for us. */
struct service *service_new(struct event_base *base, struct err *err);

/* NULL is fine. */
void service_free(struct service *service);

/* One line about how it is. */
void service_say(struct service *service, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The mount on dir is being served: ready, as soon as it answers somebody else's stat. */
void service_mounted(struct service *service, const char *dir);

void service_stopping(struct service *service);

/* Why it comes to nothing. NULL: it did not get as far as having a service. */
void service_failed(struct service *service, const char *why);

#endif
