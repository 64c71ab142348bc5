/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/tell.h"

#include "proto/conn.h"

#include <stdio.h>

void tell_error(struct server *server, uint64_t id, const struct err *err)
{
    const struct msg msg = {.type = MSG_ERROR,
                            .u.error = {.id = id,
                                        .code = err->code,
                                        .errnum = (uint64_t)proto_errnum(err->code),
                                        .text = err->msg}};

    conn_send(server->conn, &msg, NULL, 0);
}

void tell_notices(struct server *server, uint64_t id, const struct notices *notices)
{
    for (size_t i = 0; i < notices->n; i++) {
        const struct msg msg = {.type = MSG_NOTICE, .u.notice = {id, notices->text[i]}};

        conn_send(server->conn, &msg, NULL, 0);
    }
}

void tell_lacks(struct server *server, uint64_t id)
{
    char text[PROTO_STRING_MAX];
    const struct msg msg = {.type = MSG_NOTICE, .u.notice = {id, text}};

    if (server->lacks.len == 0)
        return;
    snprintf(text, sizeof text, "the encoder's sandbox is not whole here: %.*s",
             (int)server->lacks.len, (const char *)server->lacks.data);
    conn_send(server->conn, &msg, NULL, 0);
}
