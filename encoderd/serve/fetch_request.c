/* SPDX-License-Identifier: Apache-2.0 */
#include "encoderd/serve/fetch_request.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "encoderd/serve/means.h"
#include "encoderd/serve/sidecar.h"
#include "encoderd/serve/tell.h"
#include "encoderd/serve/view.h"
#include "proto/conn.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

static const struct timeval fetch_tick = {0, 500000};

/* A lazy file on its way. */
struct fetching {
    TAILQ_ENTRY(fetching) link;
    struct server *server;
    uint64_t id;
    size_t file;
    struct sidecar_job *fetch; /* owned */
    struct event *wake;        /* owned */
    struct event *tick;        /* owned; tells the front how far it is */
};

static void end_fetching(struct fetching *fetching)
{
    TAILQ_REMOVE(&fetching->server->fetchings, fetching, link);
    if (fetching->wake != NULL)
        event_free(fetching->wake);
    if (fetching->tick != NULL)
        event_free(fetching->tick);
    if (fetching->fetch != NULL) {
        cleanup_close(&fetching->server->temporary);
        fetching->server->temporary = sidecar_end(fetching->fetch);
    }
    free(fetching);
}

void fetches_end(struct server *server)
{
    while (!TAILQ_EMPTY(&server->fetchings))
        end_fetching(TAILQ_FIRST(&server->fetchings));
}

static void on_fetched(evutil_socket_t fd, short what, void *arg)
{
    struct fetching *fetching = arg;
    struct server *server = fetching->server;
    struct made_sidecar made;
    struct err err = {0};

    (void)fd;
    (void)what;
    if (sidecar_result(fetching->fetch, &made, &err) != 0) {
        if (err.code != ERR_HELD) /* the front decides about it */
            log_error("%s: %s", server->view->files[fetching->file].name, err.msg);
        tell_error(server, fetching->id, &err);
    } else {
        const struct msg msg = {
            .type = MSG_SIDECAR,
            .u.sidecar = {fetching->id, fetching->file, made.size, made.sealed}};

        conn_send(server->conn, &msg, &made.fd, 1);
        close(made.fd);
    }
    end_fetching(fetching);
    malloc_trim(0);
}

static void on_fetch_tick(evutil_socket_t fd, short what, void *arg)
{
    struct fetching *fetching = arg;
    struct sidecar_progress now;

    (void)fd;
    (void)what;
    if (sidecar_moved(fetching->fetch, &now)) {
        const struct msg msg = {
            .type = MSG_PROGRESS,
            .u.progress = {
                .id = fetching->id, .what = now.what, .done = now.done, .total = now.total}};

        conn_send(fetching->server->conn, &msg, NULL, 0);
    }
}

/* Sees to it that the front hears when the file is ready, and of its progress until then. */
static int watch_fetching(struct fetching *fetching, struct err *err)
{
    struct event_base *base = fetching->server->base;

    fetching->wake =
        event_new(base, sidecar_wake_fd(fetching->fetch), EV_READ, on_fetched, fetching);
    fetching->tick = event_new(base, -1, EV_PERSIST, on_fetch_tick, fetching);
    if (fetching->wake == NULL || event_add(fetching->wake, NULL) != 0 || fetching->tick == NULL ||
        event_add(fetching->tick, &fetch_tick) != 0)
        return err_nomem(err, "the server");
    return 0;
}

static int start_fetching(struct server *server, const struct msg_fetch *request, struct err *err)
{
    const struct sidecar_config config = {.view = server->view,
                                          .file = (size_t)request->file,
                                          .mtime = (int64_t)request->mtime,
                                          .scratch_max = server_budget(server).scratch,
                                          .temporary = steal_fd(&server->temporary)};
    struct fetching *fetching = calloc(1, sizeof *fetching);

    if (fetching == NULL) {
        server->temporary = config.temporary;
        return err_nomem(err, "the server");
    }
    fetching->server = server;
    fetching->id = request->id;
    fetching->file = config.file;
    TAILQ_INSERT_TAIL(&server->fetchings, fetching, link);
    fetching->fetch = sidecar_start(&config, err);
    if (fetching->fetch != NULL && watch_fetching(fetching, err) == 0)
        return 0;
    end_fetching(fetching);
    return -1;
}

static bool is_being_fetched(const struct server *server, size_t file)
{
    const struct fetching *fetching;

    TAILQ_FOREACH (fetching, &server->fetchings, link)
        if (fetching->file == file)
            return true;
    return false;
}

void handle_fetch(struct server *server, const struct msg_fetch *request)
{
    struct err err = {0};

    if (server->view == NULL || request->file >= server->view->nfiles ||
        server->view->files[request->file].kind != FILE_LAZY ||
        is_being_fetched(server, (size_t)request->file))
        conn_fail(server->conn, ERR_PEER, "a fetch of what cannot be fetched");
    else if (start_fetching(server, request, &err) != 0)
        tell_error(server, request->id, &err);
}
