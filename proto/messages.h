/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages: all messages, field by field.
 */
#ifndef VCZFS_PROTO_MESSAGES_H
#define VCZFS_PROTO_MESSAGES_H

#include "proto/record.h"

struct message {
    const char *name; /* the value of key "t" */
    struct record record;
    size_t nfds; /* descriptors, besides those of fields */
};

#define MESSAGES_N (MSG_ERROR + 1)

/* By enum msg_type. */
extern const struct message messages[];

#endif
