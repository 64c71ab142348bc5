/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/server.h"

#include "common/cleanup.h"
#include "common/evidence.h"
#include "common/log.h"
#include "common/time_slice.h"
#include "common/version.h"
#include "encoderd/serve/fetch_request.h"
#include "encoderd/serve/info_request.h"
#include "encoderd/serve/open_request.h"
#include "encoderd/serve/read_request.h"
#include "encoderd/serve/server_types.h"
#include "encoderd/serve/serving.h"
#include "encoderd/serve/stats_request.h"
#include "encoderd/zarr/chunk/held.h"
#include "encoderd/zarr/store/spill.h"
#include "proto/conn.h"

#include <fcntl.h>
#include <unistd.h>

static void handle_hello(struct server *server, const struct msg_hello *hello)
{
    const struct msg reply = {.type = MSG_HELLO,
                              .u.hello = {.version = PROTO_VERSION,
                                          .program = "vczfs-encoderd " VCZFS_VERSION,
                                          .pid = (uint64_t)getpid()}};

    conn_send(server->conn, &reply, NULL, 0);
    if (server->greeted || hello->version != PROTO_VERSION) {
        conn_fail(server->conn, ERR_PEER, "%s speaks protocol %llu, this is %d", hello->program,
                  (unsigned long long)hello->version, PROTO_VERSION);
        return;
    }
    server->greeted = true;
    log_debug("front is %s, process %llu", hello->program, (unsigned long long)hello->pid);
}

static void handle_evidence(struct server *server, int fd)
{
    struct err err;

    if (evidence_give(fd, &err) != 0)
        conn_fail(server->conn, err.code, "%s", err.msg);
}

/* After hello. */
static void handle(struct server *server, const struct msg *msg, const int *fds)
{
    switch (msg->type) {
    case MSG_HELLO:
        handle_hello(server, &msg->u.hello);
        break;
    case MSG_OPEN:
        handle_open(server, &msg->u.open, fds);
        break;
    case MSG_INFO:
        handle_info(server, &msg->u.info, fds);
        break;
    case MSG_READ:
        handle_read(server, &msg->u.read);
        break;
    case MSG_RETURN:
        handle_return(server, &msg->u.ret);
        break;
    case MSG_RELEASE:
        handle_release(server, &msg->u.release);
        break;
    case MSG_EVIDENCE:
        handle_evidence(server, fds[0]);
        break;
    case MSG_HOLD:
        held_set(server->held, msg->u.hold.chunks, msg->u.hold.nchunks);
        break;
    case MSG_STATS:
        handle_stats(server, &msg->u.stats);
        break;
    case MSG_FETCH:
        handle_fetch(server, &msg->u.fetch);
        break;
    case MSG_PROGRESS:
    case MSG_NOTICE:
    case MSG_FILE:
    case MSG_OPENED:
    case MSG_REPORT:
    case MSG_SPAN:
    case MSG_COUNTERS:
    case MSG_SIDECAR:
    case MSG_ERROR:
        conn_fail(server->conn, ERR_PEER, "%s is not for an encoder", msg_type_name(msg->type));
        break;
    }
}

/* The descriptors of a message are closed after it is handled: the handler reads them or copies
 * them. */
static void on_message(struct conn *conn, const struct msg *msg, const int *fds, void *arg)
{
    struct server *server = arg;

    if (msg->type == MSG_HELLO || server->greeted)
        handle(server, msg, fds);
    else
        conn_fail(conn, ERR_PEER, "%s before hello", msg_type_name(msg->type));
    for (size_t i = 0; i < msg_nfds(msg); i++)
        close(fds[i]);
}

static void on_closed(struct conn *conn, const struct err *why, void *arg)
{
    struct server *server = arg;

    (void)conn;
    server->why = *why;
    event_base_loopbreak(server->base);
}

/* Until the connection ends. */
static int converse(struct server *server, int fd, struct err *err)
{
    static const struct conn_handlers handlers = {on_message, on_closed};

    server->base = event_base_new();
    server->held = server->base == NULL ? NULL : held_new(err);
    if (server->held == NULL) {
        close(fd);
        return server->base == NULL ? err_nomem(err, "the server") : -1;
    }
    server->conn = conn_new(server->base, fd, &handlers, server, err);
    if (server->conn == NULL)
        return -1;
    event_base_dispatch(server->base);
    conn_free(server->conn);
    *err = server->why;
    return 0;
}

static void end(struct server *server)
{
    fetches_end(server);
    serving_end(server);
    if (server->base != NULL)
        event_base_free(server->base);
    cleanup_close(&server->temporary);
    spill_free(server->spill);
    held_free(server->held);
    buf_free(&server->lacks);
    cleanup_close(&server->statm);
}

int server_run(int fd, const struct server_config *config, struct err *err)
{
    struct server server = {.config = *config,
                            .fd = fd,
                            .statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC),
                            .temporary = -1};
    int result;

    time_slice_ask_short();
    TAILQ_INIT(&server.fetchings);
    result = converse(&server, fd, err);
    end(&server);
    return result;
}
