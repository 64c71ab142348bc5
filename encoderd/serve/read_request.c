/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/read_request.h"

#include "encoderd/serve/sched.h"
#include "encoderd/serve/serving.h"
#include "proto/conn.h"

void handle_read(struct server *server, const struct msg_read *read)
{
    const struct sched_read request = {.id = read->id,
                                       .handle = read->handle,
                                       .offset = read->offset,
                                       .length = read->length,
                                       .file = (size_t)read->file};

    if (server->view == NULL || read->file >= server->view->nfiles ||
        server->view->files[read->file].kind != FILE_STREAM || read->length == 0 ||
        read->offset >= server->view->files[read->file].size) {
        conn_fail(server->conn, ERR_PEER, "a read of bytes that no file of the view has");
        return;
    }
    sched_read(server->sched, &request);
    serving_expect(server);
}

void handle_return(struct server *server, const struct msg_return *ret)
{
    for (size_t i = 0; i < ret->nleases; i++) {
        if (server->sched == NULL || !sched_return(server->sched, ret->leases[i])) {
            conn_fail(server->conn, ERR_PEER, "a lease was returned that is not out");
            return;
        }
    }
    serving_expect(server);
}

void handle_release(struct server *server, const struct msg_release *release)
{
    if (server->sched != NULL)
        sched_release(server->sched, release->handle);
}
